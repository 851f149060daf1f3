"""System leaders: how they are found and designated; how they grow and spend their time."""

from brightspots_web.leaders.designation_models import Application as Application
from brightspots_web.leaders.designation_models import Criteria as Criteria
from brightspots_web.leaders.designation_models import Designation as Designation
from brightspots_web.leaders.designation_models import Grade as Grade
from brightspots_web.leaders.designation_models import Nomination as Nomination
from brightspots_web.leaders.designation_models import PanelMember as PanelMember
from brightspots_web.leaders.development_models import Attendance as Attendance
from brightspots_web.leaders.development_models import CoachingNote as CoachingNote
from brightspots_web.leaders.development_models import CoachingPair as CoachingPair
from brightspots_web.leaders.development_models import Competence as Competence
from brightspots_web.leaders.development_models import CompetenceRating as CompetenceRating
from brightspots_web.leaders.development_models import DevelopmentShare as DevelopmentShare
from brightspots_web.leaders.development_models import Learning as Learning
from brightspots_web.leaders.development_models import TimeSpent as TimeSpent
