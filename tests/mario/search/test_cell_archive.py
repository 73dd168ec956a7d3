"""Properties of the archive of cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mario.search.cell_archive import NEWEST, Cell, CellArchive, Way

plays = st.binary(max_size=8)
discoveries = st.lists(st.tuples(st.integers(0, 9), plays), min_size=1, max_size=60)


def archive_of(found):
    archive = CellArchive(seed=1)
    for key, play in found:
        archive.add(Cell(key, 0.0, Way().extend(play), play))
    return archive


@given(discoveries)
def test_every_cell_keeps_the_first_of_its_shortest_ways(found):
    archive = archive_of(found)
    shortest = {}
    for key, play in found:
        if key not in shortest or len(play) < len(shortest[key]):
            shortest[key] = play
    assert {cell.key: cell.way.play() for cell in archive.cells} == shortest
    assert [cell.key for cell in archive.cells] == list(shortest), "in the order of discovery"
    for cell in archive.cells:
        assert (cell.way.length, cell.state) == (len(cell.way.play()), cell.way.play())


@given(discoveries, st.integers(0, 9), plays)
def test_improves_says_whether_add_changes_the_archive(found, key, play):
    archive = archive_of(found)
    before = list(archive.cells)
    improves = archive.improves(key, len(play))
    archive.add(Cell(key, 0.0, Way().extend(play), play))
    assert (archive.cells != before) == improves


@given(plays, plays)
def test_a_way_is_extended_without_changing_it(first, second):
    way = Way().extend(first)
    assert way.extend(second).play() == first + second
    assert way.play() == first


@given(st.integers(1, 60), st.integers(0, 200))
def test_choices_are_spread_over_all_cells(count, choices):
    archive = archive_of([(key, b"x") for key in range(count)])
    chosen = [archive.choose() for _ in range(choices)]
    counts = [archive.num_choices(index) for index in range(count)]
    assert counts == [chosen.count(index) for index in range(count)]
    old = counts[: -min(NEWEST, count)]
    if old:  # only the least chosen of the older cells are chosen
        assert max(old) - min(old) <= 1


def test_half_of_the_choices_are_among_the_newest_cells():
    archive = archive_of([(key, b"x") for key in range(1000)])
    chosen = [archive.choose() for _ in range(400)]
    assert 150 <= sum(index >= 1000 - NEWEST for index in chosen) <= 250


def test_a_shorter_way_makes_a_cell_new_to_the_choices():
    archive = archive_of([(0, b"long"), (1, b"x")])
    for _ in range(20):
        archive.choose()
    assert archive.num_choices(0) > 0
    archive.add(Cell(0, 0.0, Way().extend(b"s"), b"s"))
    assert archive.num_choices(0) == 0
