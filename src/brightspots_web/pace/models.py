"""The pace of the shift: stages, powers handed over, the pulse, rollout plans."""

from brightspots_web.pace.plan_models import PlanArea as PlanArea
from brightspots_web.pace.plan_models import PlanChange as PlanChange
from brightspots_web.pace.plan_models import PlanLesson as PlanLesson
from brightspots_web.pace.plan_models import PlanResult as PlanResult
from brightspots_web.pace.plan_models import PlanRollout as PlanRollout
from brightspots_web.pace.plan_models import PlanStart as PlanStart
from brightspots_web.pace.plan_models import PlanStudy as PlanStudy
from brightspots_web.pace.power_models import GateCheck as GateCheck
from brightspots_web.pace.power_models import GateSettings as GateSettings
from brightspots_web.pace.power_models import PowerTransfer as PowerTransfer
from brightspots_web.pace.pulse_models import PulseSettings as PulseSettings
from brightspots_web.pace.pulse_models import PulseTerm as PulseTerm
from brightspots_web.pace.stage_models import StageAgreement as StageAgreement
from brightspots_web.pace.stage_models import StageConsent as StageConsent
from brightspots_web.pace.stage_models import StageRating as StageRating
from brightspots_web.pace.stage_models import StageRound as StageRound
from brightspots_web.pace.stage_models import StageText as StageText
