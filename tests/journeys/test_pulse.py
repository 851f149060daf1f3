"""Two questions a term on a phone, without JavaScript; the ministry reads what was answered."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.journeys.conftest import SIZES, SignIn, fits
from tests.journeys.test_pages import RULES, visit


def test_a_teacher_answers_from_the_front_page_and_the_ministry_reads_the_terms(
    sign_in: SignIn,
) -> None:
    teacher = sign_in("Teacher", size="phone", java_script_enabled=False)
    visit(teacher, "/")
    teacher.get_by_role("link", name="Answer in 20 seconds").click()
    fits(teacher, "phone")
    teacher.get_by_role("button", name="Seal and send").click()
    expect(teacher.get_by_text("nothing is answered yet").first).to_be_visible()
    teacher.get_by_label("too little", exact=True).first.check()
    teacher.get_by_role("button", name="Seal and send").click()
    expect(teacher.get_by_role("heading", name="You have answered")).to_be_visible()
    fits(teacher, "phone")
    visit(teacher, "/pace/pulse/answer/")
    expect(teacher.get_by_text("One answer counts")).to_be_visible()
    visit(teacher, "/")
    expect(teacher.get_by_role("link", name="Answer in 20 seconds")).to_have_count(0)

    ministry = sign_in("Ministry")
    visit(ministry, "/pace/pulse/")
    expect(ministry.get_by_role("heading", name="The whole system", exact=True)).to_be_visible()
    fits(ministry, "desk")
    ministry.set_viewport_size({"width": SIZES["phone"][0], "height": SIZES["phone"][1]})
    fits(ministry, "phone")
    ministry.locator("table").last.get_by_role("link").first.click()
    fits(ministry, "phone")
    visit(ministry, "/pace/pulse/settings/")
    fits(ministry, "phone")


def test_the_pages_of_the_pulse_can_be_read_by_everybody(sign_in: SignIn) -> None:
    axe = Axe()
    ministry = sign_in("Ministry", bypass_csp=True)
    for path in ("/pace/pulse/", "/pace/pulse/settings/"):
        visit(ministry, path)
        found = axe.run(ministry, options=RULES)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
    head = sign_in("Head teacher", "phone", bypass_csp=True)
    visit(head, "/pace/pulse/answer/")
    found = axe.run(head, options=RULES)
    assert found.violations_count == 0, found.generate_report()
