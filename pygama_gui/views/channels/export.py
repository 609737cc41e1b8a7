"""Saves the small spectra of the channels as a picture and their figures as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pygama
from pygama_gui.data import chain_facts
from pygama_gui.data.channel_pictures import ChannelPicture, Tile, csv_text, save
from pygama_gui.views.exporting import Saver

if TYPE_CHECKING:
    from pygama_gui.views.channels import tiles
    from pygama_gui.views.channels.view import ChannelsView


class ChannelExporter(Saver[ChannelPicture]):
    """Puts together what is known of the channels, and writes it aside."""

    TITLE = "Save the channels"
    NOTHING = "There are no channels to save yet"

    def __init__(self, view: ChannelsView) -> None:
        super().__init__(view)
        self._view = view

    def write(self, picture: ChannelPicture, path: Path) -> None:
        """Write a file, in a thread. Raises OSError."""
        save(picture, path)

    def table(self, picture: ChannelPicture) -> str:
        """Give the figures as CSV."""
        return csv_text(picture)

    def name(self) -> str:
        """Suggest a name for the file."""
        return "_".join((*self.run_name(), "channels"))

    def picture(self) -> ChannelPicture | None:
        """Put together what is shown; None where there is nothing."""
        view, found = self._view, self._view.surveyed
        if not view.tiles:
            return None
        unit, about = chain_facts.unit_of(found.column), self._about()
        return ChannelPicture(
            tuple(_tile(one) for one in view.tiles),
            found.edges,
            f"{found.column} ({unit})" if unit else found.column,
            view.choice.is_log,
            about,
            view.made(about),
        )

    def _about(self) -> dict[str, str]:
        """Say what the channels are of and how their figures were made."""
        view, session, run = self._view, self._view.session, self._view.session.selected_run
        title = "Channels" if run is None else f"{run.title}, channels"
        about = {"title": title}
        if run is not None:
            about |= run.about
        about |= {"summary": view.summary.text(), "column": view.surveyed.column}
        about |= {
            f"cut {cut.name}": cut.expression + ("" if cut.enabled else " (off)") for cut in session.cuts
        }
        about["chain"] = json.dumps(session.to_chain())
        return about | {"made by": f"pygama {pygama.__version__}"}


def _tile(shown: tiles.Tile) -> Tile:
    words = "\n".join(one for one in shown.lines if one)
    return Tile(shown.name, shown.figures, shown.health, shown.peak, words, shown.unit)
