"""Test-machine files in every layout that the readers know, with made-up numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Truth:
    """What a file was made of: mm, N, s, compression positive."""

    displacement_mm: np.ndarray
    force_n: np.ndarray
    time_s: np.ndarray


def crush(seed: int = 0, samples: int = 240, peak_n: float = 1800.0, travel_mm: float = 8.0) -> Truth:
    """A curve with slack, a yield, a softening and a rise at the end, and a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(samples) * 0.5
    x = np.linspace(0.0, travel_mm, samples)
    slack = 0.04 * travel_mm
    d = np.maximum(x - slack, 0.0)
    elastic = 0.08 * travel_mm
    force = peak_n * np.minimum(d / elastic, 1.0) * (0.7 + 0.3 * np.exp(-d / travel_mm * 5))
    force = force + 0.5 * peak_n * (d / travel_mm) ** 6 + rng.normal(0.0, 0.001 * peak_n, samples)
    return Truth(x, force, time)


def _rows(
    columns: Sequence[np.ndarray], formats: Sequence[str], separator: str, quote: str = "", decimal: str = "."
) -> str:
    lines = []
    for row in zip(*columns, strict=True):
        fields = [format(value, spec) for value, spec in zip(row, formats, strict=True)]
        if decimal == ",":
            fields = [field.replace(",", " ").replace(".", ",") for field in fields]
        lines.append(separator.join(f"{quote}{field}{quote}" for field in fields))
    return "\r\n".join(lines) + "\r\n"


def bluehill_bare(c: Truth) -> bytes:
    head = "Time,Extension,Load\r\n(s),(mm),(N)\r\n"
    return (head + _rows((c.time_s, c.displacement_mm, c.force_n), (".5f",) * 3, ",")).encode()


def bluehill_quoted(c: Truth) -> bytes:
    head = (
        'General : Sample,"lattice 7",\r\nMethod : Rate,"2.00",mm/min\r\n\r\nTime,Extension,Load\r\n(sec),(mm),(kN)\r\n'
    )
    return (head + _rows((c.time_s, c.displacement_mm, c.force_n / 1e3), (".5f", ".5f", ".7f"), ",", '"')).encode()


def bluehill_thousands(c: Truth) -> bytes:
    lines = ["Time,Extension,Load", "(s),(mm),(N)"]
    for t, x, f in zip(c.time_s, c.displacement_mm, c.force_n, strict=True):
        text = f"{f:,.2f}"
        lines.append(f'{t:.3f},{x:.5f},"{text}"' if "," in text else f"{t:.3f},{x:.5f},{text}")
    return ("\r\n".join(lines) + "\r\n").encode()


def bluehill_results(c: Truth) -> bytes:
    head = "Results Table 1\r\n\r\n\r\nResults Table 2\r\n\r\n\r\nTime,Displacement,Force\r\n(s),(mm),(kN)\r\n"
    return (head + _rows((c.time_s, c.displacement_mm, c.force_n / 1e3), (".5f", ".5f", ".8f"), ",", '"')).encode()


def bluehill_german(c: Truth) -> bytes:
    head = "Prüfer;K. Muster\r\nProbenname;Würfel 3\r\n\r\nZeit;Traversenweg;Last\r\n(sec);(mm);(kN)\r\n"
    body = _rows((c.time_s, c.displacement_mm, c.force_n / 1e3), (".4f", ".5f", ".7f"), ";", decimal=",")
    return (head + body).encode("cp1252")


def bluehill_polish(c: Truth) -> bytes:
    head = "Próbka;Nazwa\r\nObciążenie wstępne;5\r\n\r\nGodzina;Przemieszczenie;Obciążenie\r\n(s);(mm);(N)\r\n"
    body = _rows((c.time_s, c.displacement_mm, c.force_n), (".4f", ".5f", ".4f"), ";", '"', ",")
    return (head + body).encode("cp1250")


def bluehill_chinese(c: Truth) -> bytes:
    head = "试样名称,方块\r\n操作员,某人\r\n\r\n时间,位移,载荷,压缩应变 (位移),\r\n(s),(mm),(N),(%),\r\n"
    columns = (c.time_s, c.displacement_mm, c.force_n, c.displacement_mm / 0.2)
    body = _rows(columns, (".4f", ".5f", ".4f", ".4f"), ",").replace("\r\n", ",\r\n")
    return (head + body).encode("gbk")


def bluehill_universal(c: Truth) -> bytes:
    head = "Time measurement (s),Primary load measurement (N),Extension (mm)\r\n"
    return (head + _rows((c.time_s, c.force_n, c.displacement_mm), (".4f", ".4f", ".5f"), ",")).encode("utf-16")


def bluehill_universal_semicolon(c: Truth) -> bytes:
    head = "Extension (mm);Time measurement (s);Primary load measurement (kN)\r\n"
    body = _rows((c.displacement_mm, c.time_s, c.force_n / 1e3), (".5f", ".4f", ".7f"), ";", decimal=",")
    return (head + body).encode("utf-8-sig")


def bluehill_long(c: Truth) -> bytes:
    head = ['Course,"AE 321"', 'Sample description,"cube, printed"', "Crosshead Rate,4.00,mm/min", 'Date,"03/22/2021"']
    head += [f'Input {number},"{number}.50",mm' for number in range(20)]
    head += ["", "Time,Extension,Load,Compressive strain", "(s),(mm),(lbf),(mm/mm)", ""]
    columns = (c.time_s, c.displacement_mm, c.force_n / 4.4482216152605, c.displacement_mm / 20)
    return ("\r\n".join(head) + _rows(columns, (".3f", ".5f", ".6f", ".5f"), ",", '"')).encode()


def testsuite(c: Truth) -> bytes:
    head = (
        "File Path:\tC:\\tests\\a.tst\r\nTest:\tcrush\r\nTest Run:\tcube 4\r\nDate:\t3/22/2021 10:11:12 AM\r\n\r\n\r\n"
    )
    head += "Crosshead\tLoad\tTime\r\nmm\tN\tsec\r\n"
    columns = (-c.displacement_mm, -c.force_n, c.time_s)
    return (head + _rows(columns, (".6f", ".5f", ".4f"), "\t")).encode("utf-8-sig")


def testsuite_channels(c: Truth) -> bytes:
    head = "Test Run Name:\tcube 5\r\n\r\nTime\tCh 1 Displacement\tCh 1 Force\tCh 2 Torque\tVideo strain\r\n"
    head += "s\tmm\tkN\tN-m\t%\r\n"
    columns = (c.time_s, 40.0 - c.displacement_mm, -c.force_n / 1e3, 0 * c.time_s, c.displacement_mm)
    return (head + _rows(columns, (".4f", ".6f", ".8f", ".2f", ".3f"), "\t")).encode()


def mts793_german(c: Truth) -> bytes:
    head = "MTS793|MPT|DEU|x|x|,|.|:|49|1|1|A\n\nBediener Information\t\t\t\t\t\tZeit:\t8,4\ts\t22.07.2021 07:20:41\n"
    head += "Prüfer :\tX\nProbenbezeichnung :\tWürfel 8\nMasse :\t12,5\n\n"
    head += "Datenerfassung\t\t\t\t\t\tZeit:\t544,3\ts\t22.07.2021 07:28:27\n"
    head += "Datum\tLaufzeit\tCh 1 Kraft Sollwert\tCh 1 Kraft\tCh 1 Weg\nd\ts\tkN\tkN\tmm\n"
    columns = (0 * c.time_s + 41842, c.time_s, -c.force_n / 999.0, -c.force_n / 1e3, -c.displacement_mm)
    body = _rows(columns, (".0f", ".5f", ".7f", ".8f", ".7f"), "\t", decimal=",").replace("\r", "")
    tail = "\nDatenerfassung\t\t\t\t\t\tZeit:\t544,4\ts\t22.07.2021 07:28:27\n"
    tail += "Ch 1 Kraft\tCh 1 Weg\nkN\tmm\n0,25\t0,03\n-1,5\t-8,1\n"
    return (head + body + tail).encode()


def mts793_blocks(c: Truth) -> bytes:
    head = "MTS793|MPT|ENU|1|2|.|/|:|1|0|0|A\n\n"
    half = c.time_s.size // 2
    title = "Data Acquisition\t\tTime:\t12.5\tSec\t3/22/2021 10:11:12\n"
    title += "Ch 1 Displacement\tCh 1 Force\tRunning Time\nmm\tN\tSec\n"
    parts = []
    for part in (slice(0, half), slice(half, None)):
        columns = (c.displacement_mm[part], c.force_n[part], c.time_s[part])
        parts.append(title + _rows(columns, (".6f", ".5f", ".4f"), "\t").replace("\r", ""))
    return (head + "\n".join(parts)).encode()


def zwick_tra(c: Truth) -> bytes:
    head = '"aktuelle Probe"\t"4"\r\n"Prüfgeschwindigkeit"\t2\t"mm/min"\r\n'
    head += '"Vorkraft"\t0.2\t"N"\r\n"Datum"\t"20.02.2018"\r\n'
    head += '"Prüfzeit"\t"Standardweg"\t"Standardkraft"\t"Stauchung"\t"Traverse abs."\r\n"s"\t"mm"\t"N"\t"%"\t"mm"\r\n'
    columns = (c.time_s, c.displacement_mm, c.force_n, c.displacement_mm * 5, 300 - c.displacement_mm)
    return (head + _rows(columns, (".2f", ".6g", ".6g", ".6g", ".6g"), "\t")).encode("latin-1")


def zwick_txt(c: Truth) -> bytes:
    head = '"Prüfinstitut"\t"Haus"\n"Probenkennung 2"\t"Typ"\n"Prüfgeschwindigkeit"\t0.1\t"mm/s"\n'
    head += '"Prüfzeit"\t"Standardkraft"\t"Traversenweg absolut"\t"Standardweg"\n"s"\t"N"\t"mm"\t"mm"\n'
    columns = (c.time_s, c.force_n, 5 + c.displacement_mm, c.displacement_mm)
    return (head + _rows(columns, (".6f", ".6f", ".6f", ".6f"), "\t").replace("\r", "")).encode()


def _trapezium(c: Truth, names: str, encoding: str, decimal: str) -> bytes:
    short = c.time_s.size * 3 // 4
    lines = ['"1 _ 1",,,"1 _ 2",,,', f"{names},{names}", '"s","N","mm","s","N","mm"']
    for i in range(c.time_s.size):
        one = [f"{c.time_s[i]:.4f}", f"{c.force_n[i]:.4f}", f"{c.displacement_mm[i]:.5f}"]
        two = (
            [f"{c.time_s[i]:.4f}", f"{0.9 * c.force_n[i]:.4f}", f"{c.displacement_mm[i]:.5f}"]
            if i < short
            else [""] * 3
        )
        lines.append(",".join(f'"{field.replace(".", decimal)}"' if field else "" for field in one + two))
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def trapezium_polish(c: Truth) -> bytes:
    return _trapezium(c, '"Czas","Siła","Przemieszczenie"', "cp1250", ",")


def trapezium_korean(c: Truth) -> bytes:
    return _trapezium(c, '"시간","하중","스트로크"', "cp949", ".")


def trapezium_japanese(c: Truth) -> bytes:
    return _trapezium(c, '"時間","試験力","ストローク"', "cp932", ".")


def mesur(c: Truth) -> bytes:
    head = "3/22/2021 10:11:12 AM\r\nUnits: N\r\nReadings: Continuous\r\nX-Axis: Travel\r\nTravel Unit: mm\r\n\r\n"
    head += "Reading\tLoad\tTravel\tTime\r\n"
    columns = (np.arange(1, c.time_s.size + 1), c.force_n, c.displacement_mm, c.time_s)
    return (head + _rows(columns, (".0f", ".2f", ".4f", ".3f"), "\t")).encode()


def own_rig(c: Truth) -> bytes:
    head = "rig,v2\nspeed_mm_s,0.02\nlatch,on\n\nTimestamp(s),Z_Position(mm),Raw_Force(N),Corrected_Force(N)\n"
    columns = (c.time_s, -c.displacement_mm, c.force_n + 3.0, c.force_n)
    body = _rows(columns, (".3f", ".4f", ".3f", ".3f"), ",").replace("\r", "")
    return (head + body + "\nTotal_duration(s),119.500\n").encode()


def plain(c: Truth) -> bytes:
    head = "displacement_mm,force_n\n"
    return (head + _rows((c.displacement_mm, c.force_n), (".6f", ".5f"), ",").replace("\r", "")).encode()


def plain_semicolon_note(c: Truth) -> bytes:
    head = "Weg [mm];Kraft [kN];;Bemerkung: erste Probe\r\n"
    body = _rows((c.displacement_mm, c.force_n / 1e3), (".5f", ".7f"), ";", decimal=",").replace("\r\n", ";;\r\n")
    return (head + body).encode("cp1252")


def plain_spaces(c: Truth) -> bytes:
    lines = ["   time/s   travel/mm   force/N"]
    lines += [f"{t:10.3f} {x:11.5f} {f:11.4f}" for t, x, f in zip(c.time_s, c.displacement_mm, c.force_n, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def bluehill_french(c: Truth) -> bytes:
    head = "Opérateur;J. Dupont\r\nÉprouvette;Treillis 4\r\n\r\nTemps;Extension;Charge\r\n(s);(mm);(N)\r\n"
    body = _rows((c.time_s, c.displacement_mm, c.force_n), (".4f", ".5f", ".4f"), ";", '"', ",")
    return (head + body).encode("cp1252")


def bluehill_specimens(c: Truth) -> bytes:
    parts = []
    for number, share in enumerate((1.0, 0.9, 0.8), 1):
        head = f'Specimen,"{number}",\r\nTime,Extension,Load\r\n(s),(mm),(N)\r\n'
        parts.append(head + _rows((c.time_s, c.displacement_mm, share * c.force_n), (".5f",) * 3, ",", '"'))
    return "\r\n".join(parts).encode()


def plain_french(c: Truth) -> bytes:
    """Narrow no-break spaces between thousands, tabs, UTF-16."""
    lines = ["Temps (s)\tDéplacement (mm)\tForce (N)"]
    for t, x, f in zip(c.time_s, c.displacement_mm, c.force_n, strict=True):
        lines.append(f"{t:.3f}\t{x:.4f}\t{f:,.2f}".replace(",", "\u202f").replace(".", ","))
    return ("\r\n".join(lines) + "\r\n").encode("utf-16")


def plain_swiss(c: Truth) -> bytes:
    lines = ["Zeit;Weg;Kraft", "s;mm;N"]
    for t, x, f in zip(c.time_s, c.displacement_mm, c.force_n, strict=True):
        lines.append(f"{t:.2f};{x:.4f};{f:,.2f}".replace(",", "'"))
    return ("\r\n".join(lines) + "\r\n").encode("cp1252")


def plain_russian(c: Truth) -> bytes:
    head = "Время;Перемещение;Нагрузка\r\nсек.;мм;Н\r\n"
    body = _rows((c.time_s, c.displacement_mm, c.force_n), (".4f", ".5f", ".4f"), ";", decimal=",")
    return (head + body).encode("cp1251")


def plain_clock(c: Truth) -> bytes:
    """Times of day, which are read past."""
    lines = ["Time;Displacement;Load", "hh:mm:ss;mm;N"]
    for t, x, f in zip(c.time_s, c.displacement_mm, c.force_n, strict=True):
        lines.append(f"10:{int(t // 60):02d}:{t % 60:06.3f};{x:.4f};{f:.2f}")
    return ("\r\n".join(lines) + "\r\n").encode()


def testsuite_german(c: Truth) -> bytes:
    head = "Dateipfad:\tC:\\Prüfungen\\a.tst\r\nPrüfung:\tStauchversuch\r\nPrüflauf:\tWürfel 4\r\n"
    head += "Datum:\t22.03.2021 10:11:12\r\n\r\n\r\nTraverse\tKraft\tZeit\r\nmm\tkN\tSek.\r\n"
    columns = (-c.displacement_mm, -c.force_n / 1e3, c.time_s)
    return (head + _rows(columns, (".6f", ".8f", ".4f"), "\t", decimal=",")).encode("utf-8-sig")


def mts793_french(c: Truth) -> bytes:
    head = "MTS793|MPT|FRA|1|2|,|/|:|1|0|0|A\n\nAcquisition de données\t\tTemps:\t12,5\ts\t22/03/2021 10:11:12\n"
    head += "Ch 1 Déplacement\tCh 1 Force\tTemps\nmm\tkN\ts\n"
    columns = (-c.displacement_mm, -c.force_n / 1e3, c.time_s)
    body = _rows(columns, (".6f", ".8f", ".4f"), "\t", decimal=",").replace("\r", "")
    return (head + body).encode("cp1252")


def zwick_blocks(c: Truth) -> bytes:
    head = "Kunde;;Universität\r\nPrüfnorm;;DIN EN ISO 604\r\nVorkraft;5;N\r\n"
    parts = []
    for number, share in enumerate((1.0, 0.9), 1):
        names = f"\r\nProbe {number}\r\nPrüfzeit;Standardweg;Standardkraft\r\ns;mm;N\r\n"
        columns = (c.time_s, c.displacement_mm, share * c.force_n)
        parts.append(names + _rows(columns, (".2f", ".5f", ".4f"), ";", decimal=","))
    return (head + "".join(parts)).encode("utf-8-sig")


def zwick_comma(c: Truth) -> bytes:
    head = '"Probe Nr."\t"7"\r\n"Prüfzeit"\t"Verformung"\t"Kraft"\r\n"s"\t"mm"\t"kN"\r\n'
    columns = (c.time_s, c.displacement_mm, c.force_n / 1e3)
    return (head + _rows(columns, (".3f", ".6f", ".7f"), "\t", decimal=",")).encode("utf-16")


def trapezium_german(c: Truth) -> bytes:
    head = '"1 _ 1",,\r\n"Zeit","Kraft","Hub"\r\n"s","N","mm"\r\n'
    body = _rows((c.time_s, c.force_n, c.displacement_mm), (".4f", ".4f", ".5f"), ",", '"', ",")
    return (head + body).encode("cp1252")


def mesur_pounds(c: Truth) -> bytes:
    head = "3/22/2021 10:11:12 AM\r\nUnits: lbF\r\nReadings: Continuous\r\nX-Axis: Travel\r\nTravel Unit: in\r\n\r\n"
    head += "Reading\tLoad\tTravel\tTime\r\n"
    columns = (np.arange(1, c.time_s.size + 1), -c.force_n / 4.4482216152605, c.displacement_mm / 25.4, c.time_s)
    return (head + _rows(columns, (".0f", ".5f", ".7f", ".3f"), "\t")).encode()


LAYOUTS: dict[str, Callable[[Truth], bytes]] = {
    make.__name__: make
    for make in (
        bluehill_bare, bluehill_quoted, bluehill_thousands, bluehill_results, bluehill_german, bluehill_polish,
        bluehill_chinese, bluehill_universal, bluehill_universal_semicolon, bluehill_long, testsuite,
        testsuite_channels,
        mts793_german, mts793_blocks, zwick_tra, zwick_txt, trapezium_polish, trapezium_korean, trapezium_japanese,
        mesur, own_rig, plain, plain_semicolon_note, plain_spaces,
        bluehill_french, bluehill_specimens, plain_french, plain_swiss, plain_russian, plain_clock, testsuite_german,
        mts793_french, zwick_blocks, zwick_comma, trapezium_german, mesur_pounds,
    )
}  # fmt: skip
READER_OF = {
    "bluehill": "bluehill",
    "testsuite": "mts_testsuite",
    "mts793": "mts793",
    "zwick": "zwick_testxpert",
    "trapezium": "shimadzu_trapezium",
    "mesur": "mark10_mesur",
    "own": "plain",
    "plain": "plain",
}
