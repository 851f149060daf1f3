"""The register everything else refers to: areas, schools, people, appointments, partnerships."""

from datetime import date
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from brightspots_web.shared.permissions import Role


class System(models.Model):
    """The school system this installation serves: one row."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    name = models.CharField(max_length=200)
    is_sample = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Area(models.Model):
    """A nation, region, district, ward: a tree of any depth.

    `path` lists the keys of all areas from the root down to this one, each followed by a slash,
    so that an area and all below it are the rows whose path starts with its path.
    """

    personal_data = "None."
    kept_for = "As long as the system runs."

    name = models.CharField(max_length=200)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    path = models.CharField(max_length=500, unique=True)
    level = models.PositiveSmallIntegerField(default=0)
    outline = models.JSONField(null=True, blank=True)
    """GeoJSON geometry, from a boundary file or drawn around the area's schools."""

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(fields=["parent", "name"], name="area_name_once_in_parent"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(parent__isnull=True), name="root_area_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class School(models.Model):
    personal_data = "None: a school is a public body."
    kept_for = "As long as the system runs; closed schools keep their history."

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="schools")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    phase = models.CharField(max_length=60, blank=True)
    sector = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=60, blank=True)
    roll = models.PositiveIntegerField(null=True, blank=True)
    context = models.JSONField(default=dict, blank=True)
    """Further context for comparing like with like: name -> number or text."""
    opened = models.DateField(null=True, blank=True)
    closed = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["name", "code"]
        indexes = [models.Index(fields=["area", "name"])]

    def __str__(self) -> str:
        return self.name


class Succession(models.Model):
    """One school took over from another: both keep their history, and each leads to the other."""

    personal_data = "None: it names schools."
    kept_for = "As long as the system runs."

    class Kind(models.TextChoices):
        SUCCESSOR = "successor", _("succeeded")
        MERGED = "merged", _("merged")
        SPLIT = "split", _("divided")

    predecessor = models.ForeignKey(School, on_delete=models.CASCADE, related_name="successions")
    successor = models.ForeignKey(School, on_delete=models.CASCADE, related_name="origins")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SUCCESSOR)
    on = models.DateField(null=True, blank=True)
    """The first day of the successor's responsibility; None where nobody wrote it down."""

    class Meta:
        ordering = ["on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["predecessor", "successor"], name="succeeds_once"),
            models.CheckConstraint(
                name="nobody_succeeds_itself", condition=~Q(predecessor=models.F("successor"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.predecessor} → {self.successor}"


class PersonManager(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=username)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in. What they may do comes from their live appointments alone."""

    personal_data = "Name, email address, password hash."
    kept_for = "Two years after the last appointment ended."

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "email"]
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.email


class Partnership(models.Model):
    """Schools near each other that learn and improve together, led by a proven head.

    It stands in the directory because permissions derive from it; how partnerships are formed
    is the business of `connectedness`.
    """

    personal_data = "None: it names schools."
    kept_for = "As long as the system runs."

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    lead_school = models.ForeignKey(
        School, null=True, blank=True, on_delete=models.PROTECT, related_name="leads"
    )
    formed = models.DateField()
    closed = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["name", "code"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A school's time in a partnership: in at most one at a time."""

    personal_data = "None: it names schools."
    kept_for = "As long as the system runs."

    partnership = models.ForeignKey(
        Partnership, on_delete=models.CASCADE, related_name="memberships"
    )
    school = models.ForeignKey(School, on_delete=models.PROTECT, related_name="memberships")
    distance_km = models.FloatField(null=True, blank=True)
    """To the leader's school; empty where coordinates are missing."""
    starts = models.DateField()
    ends = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school"], condition=Q(ends__isnull=True), name="one_partnership_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} in {self.partnership}"


class Appointment(models.Model):
    """A person's dated role at a school, a partnership, an area, or (none of these) the system."""

    personal_data = "Who holds which role, where and when."
    kept_for = "Seven years after it ends."

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="appointments")
    role = models.CharField(max_length=40, choices=Role.choices)
    area = models.ForeignKey(Area, null=True, blank=True, on_delete=models.PROTECT)
    school = models.ForeignKey(School, null=True, blank=True, on_delete=models.PROTECT)
    partnership = models.ForeignKey(Partnership, null=True, blank=True, on_delete=models.PROTECT)
    starts = models.DateField(default=date.today)
    ends = models.DateField(null=True, blank=True)
    """The first day on which it no longer holds."""

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="appointment_place_fits_role",
                condition=(
                    Q(role__in=["minister", "analyst"], area=None, school=None, partnership=None)
                    | Q(role="district_officer", area__isnull=False, school=None, partnership=None)
                    | Q(role="system_leader", area=None, partnership__isnull=False)
                    | Q(
                        role__in=["head", "teacher"],
                        school__isnull=False,
                        area=None,
                        partnership=None,
                    )
                ),
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def place(self) -> Area | School | Partnership | None:
        return self.partnership or self.school or self.area

    @property
    def label(self) -> str:
        """Person, role and place, as the audit trail writes them."""
        place = f", {self.place}" if self.place else ""
        return f"{self.person}, {self.get_role_display()}{place}"


class Cycle(models.Model):
    """One round of improvement: a year or a term."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    name = models.CharField(max_length=100, unique=True)
    starts = models.DateField()
    ends = models.DateField()

    class Meta:
        ordering = ["starts"]
        constraints = [
            models.CheckConstraint(
                name="cycle_ends_after_it_starts", condition=Q(ends__gt=models.F("starts"))
            )
        ]

    def __str__(self) -> str:
        return self.name


class Indicator(models.Model):
    """What is measured, and what for."""

    personal_data = "None."
    kept_for = "As long as the system runs."

    class Purpose(models.TextChoices):
        IMPROVEMENT = "improvement", _("for improvement: stays in the partnership")
        ACCOUNTABILITY = "accountability", _("for accountability")

    code = models.SlugField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    purpose = models.CharField(max_length=20, choices=Purpose.choices, default=Purpose.IMPROVEMENT)
    unit = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
