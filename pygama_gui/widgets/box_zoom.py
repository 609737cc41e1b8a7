"""Zooms x as every plot does; the region that is marked with Alt or Shift is a box."""

from __future__ import annotations

from typing import Any

from PyQt5.QtCore import QRectF, pyqtSignal

from pygama_gui.widgets.plot import DRAG_PX, ZoomBox


class BoxZoom(ZoomBox):
    """A view box in which a region has a height."""

    box_dragged = pyqtSignal(object)
    """The box in the units of the axes, as a QRectF."""

    def _drag_band(self, event: Any, *, is_region: bool) -> None:
        if not is_region:
            super()._drag_band(event, is_region=False)
            return
        start, end = event.buttonDownPos(), event.pos()
        band = QRectF(start, end).normalized()
        if not event.isFinish():
            self._show_band(band.left(), band.right(), is_region=True)
            if self._band is not None:
                self._band.setRect(band)
            return
        self._hide_band()
        if max(band.width(), band.height()) >= DRAG_PX:
            self.is_region_wanted = False
            ends = self.mapToView(band.topLeft()), self.mapToView(band.bottomRight())
            self.box_dragged.emit(QRectF(*ends).normalized())
