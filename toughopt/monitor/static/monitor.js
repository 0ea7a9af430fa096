// Keeps the page up to date: when the server says that something is new, the same page is fetched again and the parts
// that changed are put in place. Without it the page works too, and stays as it was loaded.
"use strict";
(() => {
  const shortest = 700; // ms between two updates
  let news = null, due = 0, waiting = false, updating = false, again = false, lastWord = Date.now(), stream = null;

  const banner = document.getElementById("link");
  const since = document.getElementById("link-since");

  function lost() {
    if (!banner.hidden) return;
    since.textContent = new Date(lastWord).toLocaleTimeString();
    banner.hidden = false;
  }
  function found() {
    lastWord = Date.now();
    banner.hidden = true;
  }

  async function loaded(part) { // pictures are fetched before they are shown, so that nothing flickers
    await Promise.all([...part.querySelectorAll("img[src]")].map((img) => {
      const ahead = new Image();
      ahead.src = img.getAttribute("src");
      return ahead.decode().catch(() => {});
    }));
  }

  async function put(old, part) {
    await loaded(part);
    if (!old.isConnected || old.contains(document.activeElement)) return;
    const made = document.importNode(part, true);
    made.asSent = part.outerHTML;
    old.replaceWith(made);
  }

  async function update() {
    if (updating) { again = true; return; }
    updating = true;
    due = Date.now() + shortest;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const changes = [];
      for (const old of document.querySelectorAll("[data-part]")) {
        const part = fresh.querySelector(`[data-part="${old.dataset.part}"]`);
        if (part && part.outerHTML !== old.asSent) changes.push(put(old, part));
      }
      for (const part of fresh.querySelectorAll("[data-part]")) {
        if (!document.querySelector(`[data-part="${part.dataset.part}"]`)) { location.reload(); return; }
      }
      tick();
      await Promise.all(changes);
    } catch { /* the stream tells when the server is back */ }
    updating = false;
    tick();
    if (again) { again = false; soon(); }
  }

  function soon() {
    if (waiting) return;
    waiting = true;
    setTimeout(() => { waiting = false; if (!document.hidden) update(); else again = true; }, Math.max(0, due - Date.now()));
  }

  function ago(ms) {
    const s = Math.round(ms / 1000);
    if (s < 5) return "just now";
    if (s < 60) return `${s} s ago`;
    if (s < 3600) return `${Math.floor(s / 60)} min ago`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s % 3600 / 60)} min ago`;
    return `${Math.floor(s / 86400)} d ago`;
  }
  function tick() { // what moves with the clock
    for (const span of document.querySelectorAll("[data-ago]"))
      if (span.dataset.ago) span.textContent = ago(Date.now() - Date.parse(span.dataset.ago));
    for (const bar of document.querySelectorAll("progress[data-since]"))
      bar.value = Math.min(bar.max, (Date.now() - Date.parse(bar.dataset.since)) / 1000);
  }

  function listen() {
    if (stream || document.hidden) return;
    stream = new EventSource("/events");
    stream.onopen = () => { found(); news = null; };
    stream.onmessage = (message) => {
      found();
      const told = JSON.parse(message.data);
      if (told.trouble) toast(told.trouble, false);
      if (told.news !== news || location.pathname === "/lab") soon();
      news = told.news;
    };
    stream.addEventListener("beat", found);
    stream.onerror = () => {
      lost();
      if (stream.readyState === EventSource.CLOSED) { stream = null; setTimeout(listen, 2000); }
    };
  }
  function rest() { // a browser keeps six connections to a server: tabs that nobody sees must not take them all
    if (stream) stream.close();
    stream = null;
  }

  function toast(words, ok) {
    const box = document.createElement("div");
    box.className = ok ? "toast" : "toast refused";
    box.textContent = words;
    document.getElementById("toasts").append(box);
    setTimeout(() => box.remove(), ok ? 5000 : 10000);
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.verb) return;
    event.preventDefault();
    if (form.dataset.grave && form.dataset.sure !== "yes") { // a second press within five seconds is meant
      const button = form.querySelector("button");
      form.dataset.sure = "yes";
      button.textContent = `Sure? ${form.dataset.grave}`;
      setTimeout(() => { form.dataset.sure = ""; button.textContent = form.dataset.grave; }, 5000);
      return;
    }
    const files = form.querySelector("input[type=file]");
    const fields = new FormData(form);
    if (files && !files.files.length) fields.delete(files.name);
    const body = files ? fields : new URLSearchParams(fields);
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
      const told = await answer.json();
      toast(told.message, told.ok);
      if (told.ok) form.reset();
      button.blur();
      soon();
    } catch {
      toast("The server cannot be reached; nothing was sent.", false);
    }
    button.disabled = false;
  });

  const token = location.hash.slice(1); // a link with the token: it stays in the browser until it is posted
  const entry = document.getElementById("sign-in");
  if (entry && token) {
    history.replaceState(null, "", location.pathname);
    entry.elements.token.value = token;
    entry.elements.name.focus();
  }
  for (const part of document.querySelectorAll("[data-part]")) part.asSent = part.outerHTML;
  setInterval(tick, 1000);
  tick();
  if (document.querySelector("[data-part]")) {
    listen();
    document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else { listen(); soon(); } });
  }
})();
