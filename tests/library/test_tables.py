"""Any file a ministry may have goes in; the same cells, or one clear message, come out."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brightspots.core.errors import InputError
from brightspots.core.tables import Limits, Table, read_table

SMALL = "code,name,mean\n007,Kivu,12.5\n010,Édouard,13\n"


@pytest.fixture
def read(tmp_path: Path):
    """Write bytes or text to a file and read it."""

    def read_(content: bytes | str, name: str = "file.csv", **options) -> Table:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, **options)

    return read_


def cells(table: Table) -> list[tuple[str, ...]]:
    return table.frame.rows()


# Encodings and compression


@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("cp1252", b"", "cp1252"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_same_cells_in_every_encoding_packed_or_not(read, encoding, mark, found, packed):
    data = mark + SMALL.encode(encoding)
    table = read(gzip.compress(data) if packed else data)
    assert table.columns == ["code", "name", "mean"]
    assert cells(table) == [("007", "Kivu", "12.5"), ("010", "Édouard", "13")]
    assert table.encoding == found
    assert table.compression == ("gzip" if packed else None)
    assert table.row_numbers.to_list() == [2, 3]
    assert set(table.frame.dtypes) == {pl.String}


def test_a_guessed_encoding_is_reported(read):
    problems = read(SMALL.encode("cp1252")).problems
    assert problems["severity"].to_list() == ["warning"]
    assert "cp1252" in problems["problem"][0]


def test_bytes_that_cp1252_does_not_have_are_latin_1(read):
    table = read(b"code,name\n1,\xe9\xe8 a\x81b and enough letters to be a text, not a picture\n")
    assert table.encoding == "latin-1"


def test_utf8_with_one_damaged_letter_is_refused_with_its_row(read):
    text = "code,name\n" + "1,éàü éàü éàü\n" * 20
    data = text.encode().replace("é".encode(), b"\xc3", 1)
    with pytest.raises(InputError, match="damaged") as raised:
        read(data)
    assert raised.value.row == 2


def test_an_encoding_can_be_chosen(read):
    table = read("code,name\n1,ŁÓDŹ\n".encode("cp1250"), encoding="cp1250")
    assert cells(table) == [("1", "ŁÓDŹ")]
    assert table.problems.height == 0


def test_an_encoding_that_does_not_exist_is_named(read):
    with pytest.raises(InputError, match="klingon"):
        read(SMALL, encoding="klingon")


def test_a_truncated_gzip_is_refused(read):
    with pytest.raises(InputError, match="cut short"):
        read(gzip.compress(SMALL.encode() * 50)[:-9])


def test_a_damaged_gzip_is_refused(read):
    packed = bytearray(gzip.compress(SMALL.encode() * 50))
    packed[-6] ^= 0xFF
    with pytest.raises(InputError, match="damaged"):
        read(bytes(packed))


def test_several_gzip_members_are_one_file(read):
    table = read(gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert cells(table) == [("1", "2"), ("3", "4")]


def test_a_decompression_bomb_is_stopped(read):
    bomb = gzip.compress(b"0" * (70 << 20))
    with pytest.raises(InputError, match="far more than a table"):
        read(bomb)


def test_a_file_beyond_the_limit_is_refused_before_it_is_unpacked_whole(read):
    with pytest.raises(InputError, match="larger than"):
        read(gzip.compress(SMALL.encode() * 100_000), limits=Limits(max_bytes=1 << 20))


# Delimiters, quotes, rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(read, delimiter):
    table = read(SMALL.replace(",", delimiter))
    assert table.delimiter == delimiter
    assert cells(table)[0] == ("007", "Kivu", "12.5")


def test_semicolons_win_over_decimal_commas(read):
    table = read("school;mean;sd\nA;12,5;1,1\nB;13,1;0,9\nC;14,0;1,2\n")
    assert table.delimiter == ";"
    assert cells(table)[0] == ("A", "12,5", "1,1")


def test_commas_inside_quotes_do_not_count(read):
    table = read('name\tboys\n"a, b, c"\t1\n"d, e, f"\t2\n')
    assert table.delimiter == "\t"


def test_the_line_that_excel_writes_for_the_delimiter_is_understood(read):
    table = read("sep=;\na;b\n1;2\n")
    assert table.delimiter == ";"
    assert cells(table) == [("1", "2")]
    assert table.row_numbers.to_list() == [3]


def test_quoted_fields_keep_delimiters_quotes_and_line_ends(read):
    table = read('code,name\n1,"a, ""b""\nc"\n2,d\n')
    assert cells(table) == [("1", 'a, "b"\nc'), ("2", "d")]
    # records, as a spreadsheet counts, not lines
    assert table.row_numbers.to_list() == [2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(read, end):
    assert cells(read(SMALL.replace("\n", end))) == cells(read(SMALL))


def test_a_quotation_mark_inside_a_field_is_a_letter(read):
    assert cells(read('code,name\n1,5" pipe\n')) == [("1", '5" pipe')]


def test_an_unclosed_quotation_mark_is_refused_with_its_row(read):
    with pytest.raises(InputError, match="never closed") as raised:
        read('code,name\n1,a\n2,"b\n3,c\n')
    assert raised.value.row == 3


def test_rows_with_too_few_or_too_many_fields_are_set_aside_with_their_row(read):
    table = read("a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")
    assert cells(table) == [("1", "2", "3"), ("10", "11", "12")]
    assert table.row_numbers.to_list() == [2, 5]
    found = table.problems.select("row", "severity", "value").rows()
    assert found == [(3, "error", "4 | 5"), (4, "error", "6 | 7 | 8 | 9")]
    assert "too few fields; the header has 3" in table.problems["problem"][0]
    assert "too many" in table.problems["problem"][1]


def test_blank_rows_are_left_out_and_row_numbers_stay_true(read):
    table = read("a,b\n\n1,2\n,\n3,4\n\n")
    assert cells(table) == [("1", "2"), ("3", "4")]
    assert table.row_numbers.to_list() == [3, 5]
    assert table.n_blank == 3


def test_title_lines_above_the_header_are_passed_over(read):
    table = read("Table 3: results, 2022\nSource: ministry\n\ncode,mean,n\n1,2,3\n4,5,6\n")
    assert table.columns == ["code", "mean", "n"]
    assert table.header_row == 4
    assert table.row_numbers.to_list() == [5, 6]


def test_title_lines_padded_with_delimiters_are_passed_over(read):
    table = read("Results;;;\n;;;\ncode;mean;n;sd\n1;2;3;4\n")
    assert table.header_row == 3


def test_the_header_row_can_be_chosen(read):
    table = read("a,b\nc,d\n1,2\n", header_row=2)
    assert table.columns == ["c", "d"]
    assert cells(table) == [("1", "2")]


def test_a_header_row_that_is_not_there_is_named(read):
    with pytest.raises(InputError, match="Row 9"):
        read(SMALL, header_row=9)


def test_merged_header_cells_give_names_from_both_rows(read):
    table = read("School,Girls,,Boys,\n,A,B,A,B\nX,1,2,3,4\n")
    assert table.columns == ["School", "Girls A", "Girls B", "Boys A", "Boys B"]
    assert cells(table) == [("X", "1", "2", "3", "4")]
    assert "two rows" in table.problems["problem"][0]


def test_repeated_and_empty_names_are_made_distinct_and_reported(read):
    table = read("mean,mean,,mean (2)\n1,2,3,4\n")
    assert table.columns == ["mean", "mean (3)", "column 3", "mean (2)"]
    assert table.problems["severity"].to_list() == ["warning", "warning"]


def test_delimiters_at_the_end_of_rows_make_no_column(read):
    table = read("a,b,,\n1,2,,\n3,4,,\n")
    assert table.columns == ["a", "b"]
    assert table.problems.height == 0
    assert cells(read("a,b\n1,2,\n3,4,\n")) == [("1", "2"), ("3", "4")]


def test_content_late_in_a_column_without_a_name_is_not_lost(read):
    table = read("a,b,\n" + "1,2,\n" * 300 + "1,2,3\n")
    assert table.problems.filter(pl.col("severity") == "error")["row"].to_list() == [302]


def test_a_header_of_numbers_is_reported(read):
    assert "row of data" in read("1,2,3\n4,5,6\n").problems["problem"][0]


def test_a_file_with_one_column_needs_no_delimiter(read):
    assert cells(read("code\n001\n002\n")) == [("001",), ("002",)]


def test_spaces_and_formulas_are_kept_as_they_are(read):
    table = read("a,b\n=1+1, x \n@SUM(A1),-2\n+3,\u00a04\n")
    assert cells(table) == [("=1+1", " x "), ("@SUM(A1)", "-2"), ("+3", "\u00a04")]


def test_a_header_without_rows_is_an_empty_table(read):
    table = read("a,b\n")
    assert table.frame.shape == (0, 2)


def test_only_the_columns_asked_for_are_read(read):
    assert read(SMALL, columns=["mean", "code"]).columns == ["code", "mean"]


# What cannot be read


@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b"", "empty"),
        (b" \n\n", "no text"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"PAR1 and nothing more", "Parquet file is damaged"),
        (b"PK\x03\x04 and nothing more", "damaged Excel or zip"),
        (b"a,b\n1,\x00\n", "NUL"),
        (bytes(range(1, 32)) * 9, "binary"),
    ],
)
def test_what_is_no_table_is_refused_and_named(read, content, looks):
    with pytest.raises(InputError, match=looks) as raised:
        read(content)
    assert raised.value.mend
    assert raised.value.file == "file.csv"


def test_a_binary_zero_is_found_with_its_row(read):
    with pytest.raises(InputError) as raised:
        read(b"code,name\n1,abc\n2,d\x00f\n3,ghi\n" + b"4,xyz\n" * 99)
    assert raised.value.row == 3


def test_a_zip_archive_is_refused(read):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("results.csv", SMALL)
    with pytest.raises(InputError, match="zip archive"):
        read(packed.getvalue())


@pytest.mark.parametrize("quoted", [True, False])
def test_a_huge_cell_is_refused_with_its_row(read, quoted):
    huge = "x" * 1_000_001
    with pytest.raises(InputError, match="longer than") as raised:
        read(f'a,b\n1,2\n3,"{huge}"\n' if quoted else f"a,b\n1,2\n3,{huge}\n")
    assert raised.value.row == 3


def test_too_many_columns_are_refused(read):
    with pytest.raises(InputError, match="columns"):
        read(",".join("abcdef") + "\n1,2,3,4,5,6\n", limits=Limits(max_columns=5))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be opened"):
        read_table(tmp_path / "nothing.csv")


def test_the_message_uses_the_name_given(read):
    with pytest.raises(InputError) as raised:
        read(b"%PDF", name="x", **{})
    assert raised.value.file == "x"


# XLSX and Parquet


def book(rows, *, formats=None, sheet="Results", second=None) -> bytes:
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.title = sheet
    for row in rows:
        page.append(row)
    for place, shown in (formats or {}).items():
        page[place].number_format = shown
    if second is not None:
        other = workbook.create_sheet("Second")
        for row in second:
            other.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def test_a_workbook_gives_cells_as_a_person_sees_them(read):
    data = book(
        [
            ["code", "n", "mean", "share", "ok"],
            [42, 7, 12.25, 0.07, True],
            [1000, 8, 13.0, 0.5, None],
        ],
        formats={"A2": "00000", "D2": "0%", "D3": "0.0%"},
    )
    table = read(data, name="book.xlsx")
    assert cells(table) == [
        ("00042", "7", "12.25", "7%", "TRUE"),
        ("1000", "8", "13", "50%", ""),
    ]
    assert (table.format, table.sheet) == ("xlsx", "Results")
    assert table.row_numbers.to_list() == [2, 3]


def test_a_sheet_is_chosen_by_name(read):
    data = book([["a", "b"], ["1", "2"]], second=[["c", "d"], ["3", "4"]])
    assert cells(read(data, sheet="Second")) == [("3", "4")]
    with pytest.raises(InputError, match='"Third"') as raised:
        read(data, sheet="Third")
    assert '"Results", "Second"' in (raised.value.mend or "")


def test_title_lines_and_merged_headers_of_a_workbook_are_understood(read):
    data = book([["PSLE 2022"], [], ["School", "Girls", None], [None, "A", "B"], ["X", 1, 2]])
    table = read(data)
    assert table.columns == ["School", "Girls A", "Girls B"]
    assert table.row_numbers.to_list() == [5]


def test_formulas_are_never_computed_here(read):
    # openpyxl writes no value for a formula, as a file that no spreadsheet has opened yet
    table = read(book([["a", "b"], ["=1+1", "x"]]))
    assert cells(table) == [("", "x")]


def test_a_damaged_workbook_is_refused(read):
    data = bytearray(book([["a", "b"], ["1", "2"]]))
    data[200:400] = b"\0" * 200
    with pytest.raises(InputError, match=r"damaged|zip"):
        read(bytes(data))


def test_a_workbook_without_openpyxl_says_what_to_install(read, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(InputError, match="openpyxl"):
        read(book([["a"], ["1"]]))


def test_parquet_becomes_text_without_changing_values(read, tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame(
        {
            "code": ["007", None],
            "n": [21, None],
            "x": [0.1, 1e300],
            "ok": [True, False],
            "day": pl.Series(["2022-09-30", None]).str.to_date(),
        }
    ).write_parquet(path)
    table = read_table(path)
    assert cells(table) == [
        ("007", "21", "0.1", "true", "2022-09-30"),
        ("", "", "1e+300", "false", ""),
    ]
    assert table.format == "parquet"
    assert read_table(path, columns=["n"]).columns == ["n"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_of_parquet_read_back_to_the_last_bit(values):
    out = io.BytesIO()
    pl.DataFrame({"x": values, "y": values}).write_parquet(out)
    path = _scratch(out.getvalue())
    assert [float(cell) for cell in read_table(path).frame["x"]] == values


def test_nested_parquet_columns_are_refused_by_name(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"a": [[1, 2]]}).write_parquet(path)
    with pytest.raises(InputError) as raised:
        read_table(path)
    assert raised.value.column == "a"


# Any text, any bytes

_SCRATCH: list[Path] = []


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory):
    _SCRATCH.append(tmp_path_factory.mktemp("tables"))


def _scratch(content: bytes) -> Path:
    path = _SCRATCH[-1] / "file"
    path.write_bytes(content)
    return path


# No zeros, no letters that only half exist, and no controls: those are refused, see above.
LETTERS = st.text(
    st.one_of(
        st.sampled_from(list(",;\t|\"'\n\r =+-@.%é\u00a0")),
        st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]),
    ),
    max_size=8,
)


@st.composite
def grids(draw):
    width = draw(st.integers(2, 5))
    rows = draw(st.lists(st.lists(LETTERS, min_size=width, max_size=width), max_size=8))
    return [[f"name {at}" for at in range(width)], *rows]


@settings(max_examples=300, deadline=None)
@example(
    grid=[["a", "b"], ["", ""], ["x\r\ny", '""']],
    delimiter=",",
    encoding="utf-8",
    packed=False,
    quoting=csv.QUOTE_MINIMAL,
    end="\r\n",
)
@given(
    grid=grids(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    packed=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_comes_back_cell_by_cell(grid, delimiter, encoding, packed, quoting, end):
    if any("\r" in cell for row in grid for cell in row):
        quoting = csv.QUOTE_ALL  # the csv module of Python 3.11 does not quote a lone \r
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(grid)
    data = out.getvalue().encode(encoding)
    path = _scratch(gzip.compress(data) if packed else data)
    table = read_table(path, delimiter=delimiter, header_row=1)
    full = [
        (at, tuple(row))
        for at, row in enumerate(grid[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
    assert cells(table) == [row for _, row in full]
    assert table.row_numbers.to_list() == [at for at, _ in full]
    assert table.n_blank == len(grid) - 1 - len(full)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.lists(
            st.from_regex(r"[A-Za-zéü0-9 .']{1,10}", fullmatch=True).filter(str.strip),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
        max_size=8,
    ),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "cp1252"]),
)
def test_plain_tables_need_no_choices(rows, delimiter, encoding):
    grid = [["code", "name", "mean"], *rows]
    data = "".join(delimiter.join(row) + "\n" for row in grid).encode(encoding)
    table = read_table(_scratch(data))
    assert table.delimiter == delimiter
    assert cells(table) == [tuple(row) for row in rows]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(
            st.sampled_from(
                [
                    b"PK\x03\x04",
                    b"\x1f\x8b\x08",
                    b"PAR1",
                    b"\xff\xfe",
                    b"\xfe\xff",
                    b"\xef\xbb\xbf",
                    b"a,b\n",
                    b'"a";"b\n',
                    b"\xff\xfe\0\0",
                ]
            ),
            st.binary(max_size=200),
        ).map(b"".join),
        st.binary(max_size=200).map(gzip.compress),
    )
)
def test_any_bytes_are_a_table_or_one_clear_message(data):
    try:
        table = read_table(_scratch(data))
    except InputError:
        return
    assert table.frame.height == table.row_numbers.len()


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), kind=st.sampled_from("xpg"))
def test_one_changed_byte_gives_a_table_or_one_clear_message(at, byte, kind):
    data = bytearray(_WHOLE[kind])
    data[at % len(data)] = byte
    try:
        table = read_table(_scratch(bytes(data)))
    except InputError:
        return
    assert table.frame.height == table.row_numbers.len()


def _parquet() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"a": ["x", "y"] * 50, "b": range(100)}).write_parquet(out)
    return out.getvalue()


_WHOLE = {
    "x": book([["a", "b"], ["1", "2"], [3, 4.5]]),
    "p": _parquet(),
    "g": gzip.compress(SMALL.encode() * 20),
}


# Real files


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "shape"),
    [
        ("tanzania/necta_psle_2022_school_results.csv.gz", (17_935, 25)),
        ("tanzania/school_coordinates_population.csv.gz", (16_340, 5)),
        ("tanzania/tamisemi_enrolment_by_age_sex_2022.csv.gz", (19_261, 29)),
        ("england/ks2_panel_hampshire_surrey_2016_17_to_2018_19.csv.gz", (1_711, 354)),
        ("england/gias_england_primary_easting_northing.csv.gz", (20_185, 29)),
        ("kenya/kenya_schools_2016_points.csv.gz", (37_930, 13)),
    ],
)
def test_real_files_are_read_as_the_csv_module_reads_them(real_data, file, shape):
    table = read_table(real_data / file)
    assert table.frame.shape == shape
    assert table.problems.height == 0
    with gzip.open(real_data / file, "rt", encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text)
    assert table.columns == header
    assert cells(table) == [tuple(row) for row in rows]
