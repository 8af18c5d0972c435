"""The tables of long runs and what makes their rows, a module a kind; nothing here imports torch before it runs."""

from .derivatives import DERIVATIVES
from .evaluation import EVALUATIONS
from .finetuning import FINETUNING
from .healing import HEALING
from .losses import LOSSES
from .matched import MATCHED
from .pretraining import DYNAMICS, PRETRAINING, REGULARISATION
from .profiles import BOUNDARIES, FAMILIES, OUTLIERS, PROFILES
from .protocol import PROTOCOL
from .pruning import LAYER_COSTS, PRUNING
from .widths import RANDOM_WIDTHS

_ALL = (
    *(PROFILES, OUTLIERS, BOUNDARIES, PROTOCOL, PRUNING, LAYER_COSTS, HEALING, LOSSES, DERIVATIVES, FAMILIES),
    *(RANDOM_WIDTHS, PRETRAINING, REGULARISATION, DYNAMICS, FINETUNING, EVALUATIONS, MATCHED),
)
TABLES = {table.name: table for table in _ALL}
