"""Evidence: what was chosen on what, what came of it, and who and what has a record."""

from brightspots_web.evidence.choice_models import Choice as Choice
from brightspots_web.evidence.choice_models import Lottery as Lottery
from brightspots_web.evidence.choice_models import LotteryEntry as LotteryEntry
from brightspots_web.evidence.evaluation_models import Evaluation as Evaluation
from brightspots_web.evidence.evaluation_models import EvaluationResult as EvaluationResult
from brightspots_web.evidence.record_models import ProjectEffect as ProjectEffect
from brightspots_web.evidence.record_models import ProjectWords as ProjectWords
from brightspots_web.evidence.record_models import RecordSet as RecordSet
from brightspots_web.evidence.record_models import RecordSettings as RecordSettings
from brightspots_web.evidence.record_models import TrackRecord as TrackRecord
