"""Who thinks of leading is not read in the audit trail before it is handed in."""

import json

from brightspots_web.leaders import designation_actions, finding_actions
from brightspots_web.shared.models import AuditEntry
from tests.web.world import World


def said(entry: AuditEntry) -> str:
    return json.dumps([entry.action, entry.target, entry.target_type, entry.detail])


def test_a_draft_and_a_nomination_leave_entries_without_person_or_kind(world: World) -> None:
    head = world.cast["head"]
    before = AuditEntry.objects.count()
    finding_actions.put_forward(words="I would like to try.", by=head)
    designation_actions.begin(by=head)
    entries = list(AuditEntry.objects.order_by("pk")[before:])
    assert len(entries) == 2
    for entry in entries:
        assert entry.target == ""
        assert entry.detail == {}
        assert "appl" not in said(entry)
