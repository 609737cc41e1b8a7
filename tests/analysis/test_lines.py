from pygama.analysis.lines import GAMMA_LINES


def test_lines_come_in_order_of_energy():
    energies = [line.energy_kev for line in GAMMA_LINES]
    assert sorted(energies) == energies
    assert len(set(energies)) == len(energies)
