"""Documents of older shapes in the present one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from supervisor_mcp.cli.server_documents import modern
from supervisor_mcp.operations.documents import SCHEMAS

OLDER = json.loads((Path(__file__).parent / "older_servers.json").read_text())
PRESENT = Draft202012Validator(SCHEMAS["server"])


def older(**more: Any) -> dict[str, Any]:
    """A document of the shape of 2025-05."""
    return {
        "name": "io.github.acme/search",
        "description": "Searches",
        "version_detail": {"version": "1.0.0"},
        **more,
    }


def one_package(**package: Any) -> dict[str, Any]:
    """The package of a converted document."""
    (made,) = modern(older(packages=[{"registry_name": "npm", "name": "a", **package}]))[0][
        "packages"
    ]
    return dict(made)


@pytest.mark.parametrize("document", OLDER, ids=lambda each: str(each["name"]) or "empty")
def test_real_documents_fit_the_present_schema(document: dict[str, Any]) -> None:
    made, _ = modern(document)
    if document["name"]:
        PRESENT.validate(made)


def test_a_document_of_the_present_shape_stays_as_it_is() -> None:
    document = {"name": "a/b", "description": "x" * 101, "version": "1", "title": "", "more": None}
    assert modern(document) == (document, [])


def test_fields_have_their_present_names_and_empty_ones_are_gone() -> None:
    made, remarks = modern(
        older(
            id="4e9c",
            website_url="https://acme.example",
            repository={"url": "https://github.com/acme/search", "source": "", "id": "1"},
            packages=[
                {
                    "registry_name": "docker",
                    "name": "acme/search",
                    "version": "",
                    "runtime_hint": "docker",
                    "package_arguments": [
                        {"type": "named", "name": "-p", "is_required": True, "value_hint": "80"}
                    ],
                    "environment_variables": [
                        {"name": "KEY", "variables": {"my_key": {"is_secret": True}}}
                    ],
                }
            ],
        )
    )
    assert remarks == []
    assert made == {
        "name": "io.github.acme/search",
        "description": "Searches",
        "version": "1.0.0",
        "websiteUrl": "https://acme.example",
        "repository": {"url": "https://github.com/acme/search", "source": "github", "id": "1"},
        "packages": [
            {
                "registryType": "oci",
                "identifier": "acme/search",
                "runtimeHint": "docker",
                "packageArguments": [
                    {"type": "named", "name": "-p", "isRequired": True, "valueHint": "80"}
                ],
                "environmentVariables": [
                    {"name": "KEY", "variables": {"my_key": {"isSecret": True}}}
                ],
                "transport": {"type": "stdio"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("url", "expected", "names"),
    [
        (
            "https://a.example/sse?key=<YOUR_TOKEN>",
            "https://a.example/sse?key={YOUR_TOKEN}",
            ["YOUR_TOKEN"],
        ),
        (
            "https://a.example/<your token>/<id>",
            "https://a.example/{your_token}/{id}",
            ["your_token", "id"],
        ),
        ("https://${HOST}/mcp", "https://{HOST}/mcp", ["HOST"]),
        ("https://a.example/<1>", "https://a.example/{value_1}", ["value_1"]),
        ("https://a.example/<>", "https://a.example/{value}", ["value"]),
        ("https://a.example/{id}", "https://a.example/{id}", []),
    ],
)
def test_placeholders_in_a_url_are_variables(url: str, expected: str, names: list[str]) -> None:
    made, remarks = modern(older(remotes=[{"transport_type": "sse", "url": url}]))
    (remote,) = made["remotes"]
    assert remote["url"] == expected
    assert remote.get("variables", {}) == {name: {"isRequired": True} for name in names}
    assert len(remarks) == bool(names)
    PRESENT.validate(made)


def test_a_long_description_is_shortened_at_a_word_and_the_user_learns_it() -> None:
    made, remarks = modern(older(description="word " * 30))
    assert made["description"] == ("word " * 20).rstrip() + "…"
    assert remarks == ["its description of 150 characters is shortened to 100"]


@pytest.mark.parametrize(
    ("text", "shortened"),
    [
        ("x" * 101, "x" * 99),
        ("x" * 51 + " yy zz " + "x" * 60, "x" * 51 + " yy zz"),
        # Half of it is not given up for the end of a word.
        ("x" * 51 + " " + "y" * 60, "x" * 51),
        ("x" * 50 + " " + "y" * 60, "x" * 50 + " " + "y" * 48),
        ("x" * 40 + " " + "y" * 70, "x" * 40 + " " + "y" * 58),
    ],
)
def test_a_long_description_ends_with_a_word_in_its_second_half(text: str, shortened: str) -> None:
    assert modern(older(description=text))[0]["description"] == shortened + "…"


def test_a_description_of_100_characters_stays() -> None:
    made, remarks = modern(older(description="x" * 100))
    assert (made["description"], remarks) == ("x" * 100, [])


@pytest.mark.parametrize(
    ("older_part", "expected"),
    [
        (
            {"packages": [{"registry_name": "npm", "name": "a"}]},
            {"packages": [{"registryType": "npm", "identifier": "a"}]},
        ),
        (
            {"packages": [{"registry_type": "npm", "identifier": "a"}]},
            {"packages": [{"registryType": "npm", "identifier": "a"}]},
        ),
        (
            {"remotes": [{"transport_type": "http", "url": "https://a.example"}]},
            {"remotes": [{"type": "streamable-http", "url": "https://a.example"}]},
        ),
        ({"website_url": "https://a.example"}, {"websiteUrl": "https://a.example"}),
    ],
)
def test_one_older_name_makes_a_document_an_older_one(
    older_part: dict[str, Any], expected: dict[str, Any]
) -> None:
    document = {"name": "a/b", "description": "Searches", "version": "1.0.0"}
    for package in expected.get("packages", ()):
        package["transport"] = {"type": "stdio"}
    assert modern({**document, **older_part}) == ({**document, **expected}, [])


def test_only_variables_have_keys_that_a_document_chose() -> None:
    package = one_package(build={"base_image": "x"}, variables={"my_key": {"is_secret": True}})
    assert package["build"] == {"baseImage": "x"}
    assert package["variables"] == {"my_key": {"isSecret": True}}


def test_a_missing_description_is_the_name() -> None:
    made, remarks = modern(older(description=""))
    assert made["description"] == "io.github.acme/search"
    assert remarks == ["it has no description; its name is used"]


@pytest.mark.parametrize(
    ("packages", "version"),
    [
        ([], "0.0.0"),
        ([{"registry_name": "npm", "name": "a", "version": "2.0.0"}], "2.0.0"),
        ([{"registry_name": "npm", "name": "a", "version": "^2"}], "0.0.0"),
    ],
)
def test_a_missing_version_is_that_of_a_package(packages: list[Any], version: str) -> None:
    made, remarks = modern(older(version_detail={"version": ""}, packages=packages))
    assert made["version"] == version
    assert f"it has no version; {version} is used" in remarks


def test_a_range_as_version_of_a_package_is_left_out() -> None:
    assert "version" not in one_package(version="latest")
    assert one_package(version="1.2.3")["version"] == "1.2.3"


@given(st.text(min_size=1, max_size=300))
def test_a_shortened_description_has_at_most_100_characters(text: str) -> None:
    made, _ = modern(older(description=text))
    assert 1 <= len(made["description"]) <= 100
