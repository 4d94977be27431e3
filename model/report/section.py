"""The summary as sections of a heading, a table and sentences: what screen, Markdown and HTML show."""

from model.crossbar.stages import committed
from model.report.section_answer import answer_sections
from model.report.section_card import card
from model.report.section_explore import explored
from model.report.section_language import language_runs, language_sections, own_sections
from model.report.section_programme import programme_sections
from model.report.section_run import energy, events, files, run
from model.report.section_site import site_sections
from model.report.section_stage_runs import stage_run_sections
from model.report.section_type import Section
from model.report.summary import Summary


def sections(summary: Summary, *, full: bool = True) -> list[Section]:
    """All sections in order, the answer first; `full` False: what fits one screen, the run first.

    A summary about its run holds that alone, with the chip beside the named cards; one about the programme its sites.
    """
    of_run = [run(summary)]
    if summary.record is not None:
        of_run.append(events(summary, full))
    if summary.energies:
        of_run.append(energy(summary, full))
    of_run += own_sections(summary)
    of_run += explored(summary, full=full)
    if summary.about == "run":
        beside = card(summary, full)
        return [*of_run, *([beside] if beside is not None else []), files(summary)]
    answer, sites = answer_sections(summary, full), site_sections(summary, full)
    if not full:
        return [*of_run, *sites, *answer, files(summary)]
    runs = language_runs()
    of_language = [*stage_run_sections(committed(runs)), *language_sections(runs)]
    if summary.about == "programme":
        return [*answer, *sites, *programme_sections(summary), *of_language]
    return [*answer, *sites, *programme_sections(summary), *of_language, *of_run, files(summary)]
