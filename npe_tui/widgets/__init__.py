"""Small controls that panels and screens are made of."""

from npe_tui.widgets.chips import Chip, Chips
from npe_tui.widgets.field import Field
from npe_tui.widgets.slider import Slider

__all__ = ["Chip", "Chips", "Field", "Slider"]
