import pytest

from pygama.orca.window import Window


@pytest.mark.parametrize("piece_bytes", [100, 1000, 4096, 5001])
@pytest.mark.parametrize("kept", [0, 3, 700, 3000])
def test_each_piece_lies_at_the_start_of_a_page_behind_what_was_kept(tmp_path, piece_bytes, kept):
    content, done, pieces = bytes(range(256)) * 100, 0, 0
    path = tmp_path / "file"
    path.write_bytes(content)
    window = Window(path, piece_bytes)
    while True:
        before = window.fill - window.begin
        window.reach(before + 1)
        there = window.data[window.begin : window.fill]
        if len(there) == before:
            break
        pieces += 1
        assert there[before:].ctypes.data % 4096 == 0
        assert window.data.ctypes.data % 4 == 0
        assert there.tobytes() == content[done : done + len(there)]
        step = max(len(there) - kept, 0)
        window.begin += step
        done += step
    window.close()
    assert pieces == -(-len(content) // piece_bytes)
