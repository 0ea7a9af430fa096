"""What test machines call the force, the displacement, the time and other things, in their languages."""

from __future__ import annotations

import re

# role -> parts of names, best first within a role. Languages: English, German, French, Spanish, Portuguese, Italian,
# Dutch, Swedish, Danish, Finnish, Polish, Czech, Slovene, Hungarian, Romanian, Turkish, Russian, Chinese (simplified,
# traditional), Japanese, Korean.
WORDS: dict[str, tuple[str, ...]] = {
    "force": (
        "force", "load", "kraft", "last", "obciążenie", "siła", "carga", "fuerza", "força", "charge", "effort",
        "carico",
        "forza", "kracht", "belasting", "síla", "zatížení", "kuvvet", "yük", "сила", "нагрузка", "усилие", "载荷",
        "负荷", "載荷", "力", "荷重", "하중", "시험력", "힘", "voima", "belastning", "erő", "terhelés", "kuormitus",
        "kuorma", "forță", "sarcină", "sila", "負載", "負荷",
    ),
    "displacement": (
        "displacement", "extension", "standardweg", "traversenweg", "travel", "crosshead", "stroke", "compression",
        "deflection", "position", "weg", "verschiebung", "verformung", "traverse", "przemieszczenie", "droga",
        "desplazamiento", "deslocamento", "déplacement", "deplacement", "course", "spostamento", "corsa",
        "förskjutning", "forskydning", "siirtymä", "elmozdulás",
        "verplaatsing",
        "posun", "dráha", "перемещение", "ход", "位移", "行程", "ストローク", "変位", "변위", "스트로크", "hub",
        "extensión", "extensão", "estensione", "wydłużenie", "yer değiştirme", "uzama", "deformation", "deformación",
        "变形", "allongement", "längenänderung", "förlängning", "forlængelse", "verlenging", "prodloužení", "удлинение",
        "деформация", "megnyúlás", "deplasare", "pomik", "伸び", "신장", "height", "distance", "disp", "pos", "z",
    ),
    "time": (
        "time", "zeit", "godzina", "czas", "tiempo", "tempo", "temps", "tijd", "čas", "zaman", "время", "时间", "時間",
        "시간", "timestamp", "elapsed", "laufzeit", "tid", "aika", "idő", "süre", "timp",
    ),
}  # fmt: skip
# What is a displacement only where its unit is a length: travel that is called by what it makes of the part.
STRAINS = re.compile(r"strain|dehnung|stauchung|odkształcenie|deformazione|应变|ひずみ|歪|변형률", re.IGNORECASE)
# What a column is not, whatever else its name says.
NOT_A_ROLE = re.compile(
    r"strain|stress|dehnung|spannung|stauchung|odkształcenie|naprężenie|contrainte|\btensi[oó]n\b|\btensione|deformazione|"
    r"应变|应力|応力|ひずみ|歪|변형률|응력|"
    r"sollwert|setpoint|set point|command|target|cmd|rate\b|speed|velocity|geschwindigkeit|"
    r"torque|moment|drehmoment|width|breite|diameter|durchmesser|thickness|dicke|rotation|angle|winkel|energy|work|"
    r"temperature|temperatur|cycle|count|index|reading|limit|maxim|minim|\bmax\b|\bmin\b|\bmean\b|mittelwert|amplitude|peak|\bat\b|modul",
    re.IGNORECASE,
)
