"""What groups of schools look at, decide and try: conversations, notes, decisions, cycles."""

from brightspots_web.devolution.decision_models import Decision as Decision
from brightspots_web.devolution.decision_models import DecisionAction as DecisionAction
from brightspots_web.devolution.decision_models import DecisionConsent as DecisionConsent
from brightspots_web.devolution.decision_models import DecisionText as DecisionText
from brightspots_web.devolution.decision_models import Pdsa as Pdsa
from brightspots_web.devolution.decision_models import PdsaPoint as PdsaPoint
from brightspots_web.devolution.decision_models import PdsaTrace as PdsaTrace
from brightspots_web.devolution.meeting_models import Meeting as Meeting
from brightspots_web.devolution.meeting_models import MeetingAttendance as MeetingAttendance
from brightspots_web.devolution.note_models import DataNote as DataNote
from brightspots_web.devolution.note_models import DataUse as DataUse
from brightspots_web.devolution.note_models import HeldPhoto as HeldPhoto
from brightspots_web.devolution.note_models import NotePhoto as NotePhoto
from brightspots_web.devolution.note_models import NoteTag as NoteTag
from brightspots_web.devolution.note_models import Preparation as Preparation
from brightspots_web.devolution.note_models import PreparationReminder as PreparationReminder
from brightspots_web.devolution.note_models import Rubric as Rubric
