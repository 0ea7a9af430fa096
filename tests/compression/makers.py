"""Files as yet other makers' software and people write them: each from a truth, with its encoding and its specimens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

POUND = 4.4482216152605


class Truth(Protocol):
    """What a file is made of: mm, N, s, compression positive."""

    displacement_mm: np.ndarray
    force_n: np.ndarray
    time_s: np.ndarray


@dataclass(frozen=True)
class Layout:
    """How a file is written; `text` gives it line ends and all."""

    text: Callable[[Truth], str]
    encoding: str = "utf-8"
    specimens: int = 1

    def __call__(self, truth: Truth) -> bytes:
        return self.text(truth).encode(self.encoding)


def _rows(row: str, *columns: np.ndarray, comma: bool = False) -> str:
    """A line for each sample; with `comma`, commas and points change places, as in Germany."""
    swap = str.maketrans(".,", ",.") if comma else str.maketrans("", "")
    return "".join(row.format(*values).translate(swap) for values in zip(*columns, strict=True))


def german_thousands(c: Truth) -> str:
    head = "Prüfprotokoll;;\r\nDatum;12.03.2024;\r\n\r\nWeg;Kraft;Zeit\r\nmm;N;s\r\n"
    return head + _rows("{:,.4f};{:,.2f};{:,.2f}\r\n", c.displacement_mm, c.force_n, c.time_s, comma=True)


def zwick_tra_negative(c: Truth) -> str:
    head = '"Prüfer";"M"\r\n"Prüfnorm";"DIN EN ISO 604"\r\n"Kraft";"Nominale Stauchung";"Traversenweg";"Prüfzeit"\r\n'
    columns = (-c.force_n, c.displacement_mm * 5, -c.displacement_mm, c.time_s)
    return head + '"N";"%";"mm";"s"\r\n' + _rows("{:.3f};{:.4f};{:.5f};{:.2f}\r\n", *columns, comma=True)


def instron_wavematrix(c: Truth) -> str:
    head = '"Total Time (s)","Cycle Elapsed Time (s)","Total Cycles","Step","Total Cycle Count(8801 (1,2) Waveform)",'
    head += '"Position(8801 (1,2):Position) (mm)","Load(8801 (1,2):Load) (kN)"\r\n'
    return head + _rows("{0:.4f},{0:.4f},0,1,0,{1:.5f},{2:.8f}\r\n", c.time_s, 12 - c.displacement_mm, -c.force_n / 1e3)


def shimadzu_japanese(c: Truth) -> str:
    head = '"試験名","圧縮試験"\r\n"試験速度","2","mm/min"\r\n\r\n"名前","1_1","","","1_2","",""\r\n'
    head += '"","時間","荷重","変位","時間","荷重","変位"\r\n"","sec","N","mm","sec","N","mm"\r\n'
    row = '"","{0:.2f}","{1:.4f}","{2:.5f}","{0:.2f}","{3:.4f}","{2:.5f}"\r\n'
    return head + _rows(row, c.time_s, c.force_n, c.displacement_mm, 0.9 * c.force_n)


def gauge_replies(c: Truth) -> str:
    head = "Mark-10\tModel M5-500\r\nReading\tLoad\tTravel\r\n"
    columns = (np.arange(c.force_n.size), c.force_n / POUND, c.displacement_mm / 25.4)
    return head + _rows("{:d}\t{:.5f} lbF\t{:.7f} in\r\n", *columns)


def gauge_replies_german(c: Truth) -> str:
    head = "Weg;Kraft\r\n"
    return head + _rows("{:.5f}mm;{:.7f}kN\r\n", c.displacement_mm, c.force_n / 1e3, comma=True)


def mark10_readings(c: Truth) -> str:
    head = "Mark-10 Corporation\nMESURgauge Plus\nDate,3/12/2024\nSample,barrel\n\nReading [lbF],Travel [in],Time [s]\n"
    return head + _rows("{:.5f},{:.7f},{:.3f}\n", c.force_n / POUND, c.displacement_mm / 25.4, c.time_s)


def intellimesur(c: Truth) -> str:
    head = "Test Name:,compr\nTest Date:,3/12/2024 1:02:03 PM\nPeak Load (Compression):,412.3,lbF\n"
    head += "No.,Load (lbF),Travel (in),Time (s),Status\n"
    number = np.arange(1, c.force_n.size + 1)
    columns = (number, -c.force_n / POUND, -c.displacement_mm / 25.4, c.time_s)
    return head + _rows("{:d},{:.5f},{:.7f},{:.3f},\n", *columns)


def mts_inches(c: Truth) -> str:
    head = "MTS Systems\nTest Run Name:\tbarrel 3\nProcedure:\tcompression\n\nCrosshead \tLoad \tTime \nin\tkN\tmin\n"
    return head + _rows("{:.7f}\t{:.8f}\t{:.6f}\n", c.displacement_mm / 25.4, c.force_n / 1e3, c.time_s / 60)


def horizon(c: Truth) -> str:
    head = "Tinius Olsen Horizon\r\nMethod Name,Compression ISO 604\r\nTest Speed,2,mm/min\r\nUltimate Force,1834,N\r\n"
    head += "\r\nTime(Sec),Position(mm),Force(N),Stress(MPa),Strain(%)\r\n"
    columns = (c.time_s, c.displacement_mm, c.force_n, c.force_n / 314, c.displacement_mm * 5)
    return head + _rows("{:.2f},{:.5f},{:.4f},{:.4f},{:.4f}\r\n", *columns)


def nexygen(c: Truth) -> str:
    head = "NEXYGEN Plus 4.1\nSample Reference:\tB7\nTest Type:\tCompression\n\n"
    head += "Sample\tLoad (N)\tMachine Extension (mm)\tExtension from Preload (mm)\tTime (s)\n"
    columns = (c.force_n, 5 + c.displacement_mm, c.displacement_mm, c.time_s)
    foot = "\nMaximum Load\t1834.2\tN\nWork to Maximum Load\t1.2\tJ\nStandard Deviation\t0.0\n"
    return head + _rows("1\t{:.4f}\t{:.5f}\t{:.5f}\t{:.2f}\n", *columns) + foot


def galdabini(c: Truth) -> str:
    head = "GALDABINI QUASAR;\r\nOperatore;Rossi\r\nVelocità;2;mm/min\r\n\r\n"
    head += "Tempo [s];Corsa [mm];Forza [daN];Sollecitazione [N/mm²]\r\n"
    columns = (c.time_s, c.displacement_mm, c.force_n / 10, c.force_n / 314)
    return head + _rows("{:.2f};{:.5f};{:.5f};{:.4f}\r\n", *columns, comma=True)


def hounsfield(c: Truth) -> str:
    head = '"Hounsfield QMAT"\r\n"Force (N)" "Extension (mm)"\r\n'
    return head + _rows("{:.4f} {:.5f}\r\n", c.force_n, c.displacement_mm)


def side_by_side_statistics(c: Truth) -> str:
    head = "Specimen 1;;Specimen 2;;Specimen 3;\r\nExtension;Load;Extension;Load;Extension;Load\r\nmm;N;mm;N;mm;N\r\n"
    columns = (c.displacement_mm, c.force_n, 0.9 * c.force_n, 0.8 * c.force_n)
    foot = "Mean;800.1;Mean;720.2;Mean;640.0\r\nStd. dev.;1.0;;1.0;;1.0\r\nMax;1834.1;;;;\r\n"
    return head + _rows("{0:.5f};{1:.4f};{0:.5f};{2:.4f};{0:.5f};{3:.4f}\r\n", *columns) + foot


def side_by_side_spaced(c: Truth) -> str:
    head = "A,,,B,,\nExtension,Load,,Extension,Load,\nmm,N,,mm,N,\n"
    return head + _rows("{0:.5f},{1:.4f},,{0:.5f},{2:.4f},\n", c.displacement_mm, c.force_n, 0.9 * c.force_n)


def side_by_side_numbered(c: Truth) -> str:
    head = "Disp 1 (mm),Force 1 (N),Disp 2 (mm),Force 2 (N)\n"
    return head + _rows("{0:.5f},{1:.4f},{0:.5f},{2:.4f}\n", c.displacement_mm, c.force_n, 0.5 * c.force_n)


def side_by_side_lettered(c: Truth) -> str:
    head = "A Displacement,A Load,B Displacement,B Load\nmm,N,mm,N\n"
    return head + _rows("{0:.5f},{1:.4f},{0:.5f},{2:.4f}\n", c.displacement_mm, c.force_n, 0.5 * c.force_n)


def statistics_below(c: Truth) -> str:
    foot = "Maximum,8.000,1834.2\nMinimum,0.000,-2.1\nMean,4.000,1200.1\n"
    rows = _rows("{:.2f},{:.5f},{:.4f}\n", c.time_s, c.displacement_mm, c.force_n)
    return "Time (s),Displacement (mm),Force (N)\n" + rows + foot


def small_units(c: Truth) -> str:
    columns = (c.time_s * 1e3, c.displacement_mm * 1e3, c.force_n * 1e3)
    return "time [ms];displacement [µm];force [mN]\n" + _rows("{:.0f};{:.2f};{:.1f}\n", *columns)


def bluehill_stacked_german(c: Truth) -> str:
    text = ""
    for number, share in ((1, 1.0), (2, 0.9)):
        text += f"Probe;{number}\r\nMax. Kraft;1.834,2;N\r\n\r\nZeit;Stauchungsweg;Druckkraft\r\n(s);(mm);(kN)\r\n"
        columns = (c.time_s, c.displacement_mm, share * c.force_n / 1e3)
        text += _rows("{:.2f};{:.5f};{:.7f}\r\n", *columns, comma=True) + "\r\n"
    return text


def wide_brackets(c: Truth) -> str:
    columns = (c.force_n / 1e3, c.displacement_mm, c.time_s)
    return "试验力（kN）,位移（mm）,时间（s）\r\n" + _rows("{:.7f},{:.5f},{:.2f}\r\n", *columns)


def units_above(c: Truth) -> str:
    head = "IMADA Force Recorder\nSampling Rate,10Hz\nUnit,kN,mm\nNo.,Force,Displacement\n"
    return head + _rows("{:d},{:.7f},{:.5f}\n", np.arange(c.force_n.size), -c.force_n / 1e3, c.displacement_mm)


def units_in_preamble(c: Truth) -> str:
    head = "Force unit: kN\nDisplacement unit: cm\n\nDisplacement,Force\n"
    return head + _rows("{:.6f},{:.7f}\n", c.displacement_mm / 10, c.force_n / 1e3)


def kilograms_spanish(c: Truth) -> str:
    head = "Ensayo;Compresión\nTiempo(s);Desplazamiento(mm);Fuerza(kgf)\n"
    columns = (c.time_s, c.displacement_mm, c.force_n / 9.80665)
    return head + _rows("{:,.2f};{:,.5f};{:,.5f}\n", *columns, comma=True)


def numbered_specimens(c: Truth) -> str:
    text = "Specimen,Time (s),Extension (mm),Load (N)\n"
    for number, share in ((1, 1.0), (2, 0.9), (3, 0.8)):
        row = f"{number},{{:.2f}},{{:.5f}},{{:.4f}}\n"
        text += _rows(row, c.time_s, c.displacement_mm, share * c.force_n)
    return text


def named_specimens(c: Truth) -> str:
    text = "Specimen,Time (s),Extension (mm),Load (N)\n"
    for name, share in (("A1", 1.0), ("A2", 0.9)):
        text += _rows(f"{name},{{:.2f}},{{:.5f}},{{:.4f}}\n", c.time_s, c.displacement_mm, share * c.force_n)
    return text


def swedish(c: Truth) -> str:
    head = "Tid (s);Förskjutning (mm);Kraft (N)\n"
    return head + _rows("{:.2f};{:.5f};{:.4f}\n", c.time_s, c.displacement_mm, c.force_n, comma=True)


def hungarian(c: Truth) -> str:
    head = "Idő [s];Elmozdulás [mm];Erő [N]\n"
    return head + _rows("{:.2f};{:.5f};{:.4f}\n", c.time_s, c.displacement_mm, c.force_n, comma=True)


MAKERS: dict[str, Layout] = {
    "german_thousands": Layout(german_thousands, "utf-16"),
    "zwick_tra_negative": Layout(zwick_tra_negative, "latin-1"),
    "instron_wavematrix": Layout(instron_wavematrix),
    "shimadzu_japanese": Layout(shimadzu_japanese, "cp932", 2),
    "gauge_replies": Layout(gauge_replies),
    "gauge_replies_german": Layout(gauge_replies_german),
    "mark10_readings": Layout(mark10_readings),
    "intellimesur": Layout(intellimesur),
    "mts_inches": Layout(mts_inches),
    "horizon": Layout(horizon),
    "nexygen": Layout(nexygen),
    "galdabini": Layout(galdabini, "cp1252"),
    "hounsfield": Layout(hounsfield),
    "side_by_side_statistics": Layout(side_by_side_statistics, "utf-8", 3),
    "side_by_side_spaced": Layout(side_by_side_spaced, "utf-8", 2),
    "side_by_side_numbered": Layout(side_by_side_numbered, "utf-8", 2),
    "side_by_side_lettered": Layout(side_by_side_lettered, "utf-8", 2),
    "statistics_below": Layout(statistics_below),
    "small_units": Layout(small_units, "cp1252"),
    "bluehill_stacked_german": Layout(bluehill_stacked_german, "cp1252", 2),
    "wide_brackets": Layout(wide_brackets, "gbk"),
    "units_above": Layout(units_above),
    "units_in_preamble": Layout(units_in_preamble),
    "kilograms_spanish": Layout(kilograms_spanish),
    "numbered_specimens": Layout(numbered_specimens, "utf-8", 3),
    "named_specimens": Layout(named_specimens, "utf-8", 2),
    "swedish": Layout(swedish, "cp1252"),
    "hungarian": Layout(hungarian, "cp1250"),
}
