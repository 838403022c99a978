#include "services/runtime/config/config_loader.h"

#include <fstream>
#include <string>

#include "entrepot/config/v1/standalone.pb.h"
#include "entrepot/testing/v1/config.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::entrepot::testing::v1::ExampleConfig;
using ::testing::HasSubstr;

// The text of the configuration, or the message of the error.
std::string Parsed(absl::string_view yaml) {
  ExampleConfig config;
  const absl::Status status = ParseConfig(yaml, "f", &config);
  if (status.ok()) return config.ShortDebugString();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  return std::string(status.message());
}

TEST(ConfigLoaderTest, ReadsARealConfiguration) {
  config::v1::StandaloneConfig config;
  ASSERT_OK(ParseConfig(R"(
# A comment.
listen:
  address: 0.0.0.0
  port: 5000
  tls:
    certificate_file: /etc/tls.crt
    private_key_file: "/etc/tls.key"
data_directory: ./data
limits: {idle_timeout: 1m30s, blob_bytes_max: 18446744073709551615}
uploads:
log: {level: debug}
drain_timeout: 250ms
)",
                        "f", &config));
  EXPECT_EQ(config.ShortDebugString(),
            "listen { address: \"0.0.0.0\" port: 5000 tls { certificate_file: \"/etc/tls.crt\" "
            "private_key_file: \"/etc/tls.key\" } } data_directory: \"./data\" "
            "limits { blob_bytes_max: 18446744073709551615 idle_timeout { seconds: 90 } } uploads { } "
            "log { level: \"debug\" } drain_timeout { nanos: 250000000 }");
}

TEST(ConfigLoaderTest, AnEmptyDocumentIsValid) {
  EXPECT_EQ(Parsed(""), "");
  EXPECT_EQ(Parsed("# nothing\n"), "");
  EXPECT_EQ(Parsed("{}"), "");
}

TEST(ConfigLoaderTest, ReplacesTheContentOfTheMessage) {
  ExampleConfig config;
  config.set_bool_value(true);
  ASSERT_OK(ParseConfig("int32_value: 1", "f", &config));
  EXPECT_EQ(config.ShortDebugString(), "int32_value: 1");
}

TEST(ConfigLoaderTest, WholeNumbers) {
  EXPECT_EQ(Parsed("int32_value: -2147483648"), "int32_value: -2147483648");
  EXPECT_EQ(Parsed("int32_value: 2147483648"),
            "f:1: int32_value: must be -2147483648 to 2147483647, not \"2147483648\"");
  EXPECT_EQ(Parsed("int64_value: -9223372036854775808"), "int64_value: -9223372036854775808");
  EXPECT_THAT(Parsed("int64_value: 9223372036854775808"), HasSubstr("must be"));
  EXPECT_EQ(Parsed("uint32_value: 4294967295"), "uint32_value: 4294967295");
  EXPECT_EQ(Parsed("uint32_value: 4294967296"), "f:1: uint32_value: must be 0 to 4294967295, not \"4294967296\"");
  EXPECT_EQ(Parsed("uint32_value: -1"), "f:1: uint32_value: must be 0 to 4294967295, not \"-1\"");
  EXPECT_EQ(Parsed("uint64_value: 18446744073709551615"), "uint64_value: 18446744073709551615");
  EXPECT_THAT(Parsed("uint64_value: 18446744073709551616"), HasSubstr("must be"));
  EXPECT_THAT(Parsed("uint64_value: 99999999999999999999999999999999"), HasSubstr("must be"));
  for (const char* bad :
       {"abc", "1.5", "1e3", "0x10", "010", "1_000", "+1", "-x", "-0", "\"1\"", "'1'", "1 2", "true"}) {
    EXPECT_THAT(Parsed(std::string("int32_value: ") + bad),
                HasSubstr("f:1: int32_value: expected a whole number, found"))
        << bad;
  }
  EXPECT_EQ(Parsed("int32_value: \"1\""), "f:1: int32_value: expected a whole number, found the text \"1\"");
  EXPECT_EQ(Parsed("int32_value:"), "f:1: int32_value: expected a whole number, found nothing");
  EXPECT_EQ(Parsed("int32_value: [1]"), "f:1: int32_value: expected a whole number, found a list");
  EXPECT_EQ(Parsed("int32_value: {a: 1}"), "f:1: int32_value: expected a whole number, found fields");
}

TEST(ConfigLoaderTest, Decimals) {
  EXPECT_EQ(Parsed("double_value: 0.25"), "double_value: 0.25");
  EXPECT_EQ(Parsed("double_value: -2"), "double_value: -2");
  EXPECT_EQ(Parsed("float_value: 1e3"), "float_value: 1000");
  for (const char* bad : {".inf", "inf", "nan", ".nan", "abc", "1e999", "0x1p3", "\"1\"", "1.2.3", "."}) {
    EXPECT_THAT(Parsed(std::string("double_value: ") + bad), HasSubstr("f:1: double_value: expected a number")) << bad;
  }
}

TEST(ConfigLoaderTest, Booleans) {
  EXPECT_EQ(Parsed("bool_value: true"), "bool_value: true");
  EXPECT_EQ(Parsed("bool_value: false"), "");
  for (const char* bad : {"yes", "on", "True", "1", "\"true\""}) {
    EXPECT_THAT(Parsed(std::string("bool_value: ") + bad), HasSubstr("f:1: bool_value: expected true or false")) << bad;
  }
}

TEST(ConfigLoaderTest, Text) {
  EXPECT_EQ(Parsed("string_value: a b"), "string_value: \"a b\"");
  EXPECT_EQ(Parsed("string_value: 'it''s'"), "string_value: \"it\\'s\"");
  EXPECT_EQ(Parsed("string_value: 5000"), "string_value: \"5000\"");
  EXPECT_EQ(Parsed("string_value: ''"), "");
  EXPECT_EQ(Parsed("string_value: |\n  a\n  b\n"), "string_value: \"a\\nb\\n\"");
  EXPECT_EQ(Parsed("string_value:"), "f:1: string_value: expected text, found nothing");
  EXPECT_EQ(Parsed("string_value: [a]"), "f:1: string_value: expected text, found a list");
  EXPECT_THAT(Parsed("string_value: \"a\\0b\""), HasSubstr("expected text without control characters"));
}

TEST(ConfigLoaderTest, Bytes) {
  EXPECT_EQ(Parsed("bytes_value: abc"), "f:1: bytes_value: bytes fields are not supported in a file");
}

TEST(ConfigLoaderTest, Enums) {
  EXPECT_EQ(Parsed("colour: BLUE"), "colour: BLUE");
  EXPECT_EQ(Parsed("colour: blue"), "f:1: colour: expected one of COLOUR_UNSPECIFIED, RED, BLUE, found \"blue\"");
  EXPECT_THAT(Parsed("colour: 1"), HasSubstr("expected one of"));
}

TEST(ConfigLoaderTest, Durations) {
  EXPECT_EQ(Parsed("duration: 250ms"), "duration { nanos: 250000000 }");
  EXPECT_EQ(Parsed("duration: 1h30m"), "duration { seconds: 5400 }");
  EXPECT_EQ(Parsed("duration: 0.5s"), "duration { nanos: 500000000 }");
  EXPECT_EQ(Parsed("duration: \"3s\""), "duration { seconds: 3 }");
  EXPECT_EQ(Parsed("duration: -1.5s"), "duration { seconds: -1 nanos: -500000000 }");
  EXPECT_EQ(Parsed("duration: 0"), "duration { }");
  EXPECT_EQ(Parsed("duration: 30"), "f:1: duration: expected a duration like 250ms, 3s or 1h30m, found \"30\"");
  for (const char* bad : {"", "s", "3", "3 s", "3d", "3S", "soon", "[]", "{seconds: 3}"}) {
    EXPECT_THAT(Parsed(std::string("duration: ") + bad), HasSubstr("f:1: duration: expected a duration")) << bad;
  }
  for (const char* large : {"inf", "-inf", "100000000h", "9999999999999999999h"}) {
    EXPECT_THAT(Parsed(std::string("duration: ") + large), HasSubstr("f:1: duration: expected a duration")) << large;
  }
  EXPECT_EQ(Parsed("duration: 315576000000s"), "duration { seconds: 315576000000 }");
}

TEST(ConfigLoaderTest, Messages) {
  EXPECT_EQ(Parsed("nested:\n  nested: {int32_value: 3}"), "nested { nested { int32_value: 3 } }");
  EXPECT_EQ(Parsed("nested:"), "nested { }");
  EXPECT_EQ(Parsed("nested: 3"), "f:1: nested: expected fields (name: value), found \"3\"");
  EXPECT_EQ(Parsed("nested: [a]"), "f:1: nested: expected fields (name: value), found a list");
  EXPECT_EQ(Parsed("- a"), "f:1: expected fields (name: value), found a list");
  EXPECT_EQ(Parsed("just text"), "f:1: expected fields (name: value), found \"just text\"");
}

TEST(ConfigLoaderTest, UnknownFields) {
  config::v1::StandaloneConfig config;
  EXPECT_EQ(ParseConfig("listen:\n  port: 1\n  prot: 2\n", "entrepot.yaml", &config).message(),
            "entrepot.yaml:3: listen: unknown field \"prot\"; known fields are address, port, tls, external_url, "
            "allow_unauthenticated, trusted_proxies, forwarded_header, proxy_protocol, names");
  EXPECT_THAT(Parsed("Int32_value: 1"),
              HasSubstr("f:1: unknown field \"Int32_value\"; known fields are int32_value, "));
  EXPECT_THAT(Parsed("int32Value: 1"), HasSubstr("unknown field"));
  EXPECT_THAT(Parsed("? [a]\n: 1\n"), HasSubstr("expected a field's name, found a list"));
  EXPECT_THAT(Parsed(": 1\n"), HasSubstr("expected a field's name, found nothing"));
  EXPECT_THAT(Parsed("\"a\\nb\": 1\n"), HasSubstr("unknown field \"a\\nb\""));
}

TEST(ConfigLoaderTest, FieldsGivenTwice) {
  EXPECT_EQ(Parsed("int32_value: 1\nbool_value: true\nint32_value: 1\n"), "f:3: int32_value: given twice");
  EXPECT_EQ(Parsed("nested:\n  colour: RED\n  colour: RED\n"), "f:3: nested.colour: given twice");
  EXPECT_EQ(Parsed("nested: {}\nnested: {}\n"), "f:2: nested: given twice");
}

TEST(ConfigLoaderTest, Oneofs) {
  EXPECT_EQ(Parsed("left: a"), "left: \"a\"");
  EXPECT_EQ(Parsed("right: {int32_value: 1}"), "right { int32_value: 1 }");
  EXPECT_EQ(Parsed("left: a\nright:\n"), "f:2: right: only one of left, right may be given");
}

TEST(ConfigLoaderTest, OptionalFieldsArePresentIfGiven) {
  ExampleConfig config;
  ASSERT_OK(ParseConfig("optional_value: 0\nother_optional_value: 2", "f", &config));
  EXPECT_TRUE(config.has_optional_value());
  EXPECT_EQ(config.other_optional_value(), 2u);
  ASSERT_OK(ParseConfig("other_optional_value: 2", "f", &config));
  EXPECT_FALSE(config.has_optional_value());
}

TEST(ConfigLoaderTest, Lists) {
  EXPECT_EQ(Parsed("names: [a, b]"), "names: \"a\" names: \"b\"");
  EXPECT_EQ(Parsed("names: []"), "");
  EXPECT_EQ(Parsed("names:"), "");
  EXPECT_EQ(Parsed("colours: [RED, BLUE]"), "colours: RED colours: BLUE");
  EXPECT_EQ(Parsed("durations: [1s, 2s]"), "durations { seconds: 1 } durations { seconds: 2 }");
  EXPECT_EQ(Parsed("children:\n- int32_value: 1\n-\n"), "children { int32_value: 1 } children { }");
  EXPECT_EQ(Parsed("names: a"), "f:1: names: expected a list, found \"a\"");
  EXPECT_EQ(Parsed("names:\n- a\n- [b]\n"), "f:3: names[1]: expected text, found a list");
  EXPECT_EQ(Parsed("children:\n- {}\n- colour: 1\n"),
            "f:3: children[1].colour: expected one of COLOUR_UNSPECIFIED, RED, BLUE, found \"1\"");
}

TEST(ConfigLoaderTest, Maps) {
  ExampleConfig config;
  ASSERT_OK(ParseConfig("limits: {a: 1, b c: 2}\nby_number:\n  -7: {int32_value: 3}\n  8:\n", "f", &config));
  EXPECT_EQ(config.limits().at("a"), 1u);
  EXPECT_EQ(config.limits().at("b c"), 2u);
  EXPECT_EQ(config.by_number().at(-7).int32_value(), 3);
  EXPECT_EQ(config.by_number().count(8), 1u);
  EXPECT_EQ(Parsed("limits:"), "");
  EXPECT_EQ(Parsed("limits: [a]"), "f:1: limits: expected keys and values, found a list");
  EXPECT_EQ(Parsed("limits:\n  a: 1\n  b: x\n"), "f:3: limits[\"b\"]: expected a whole number, found \"x\"");
  EXPECT_EQ(Parsed("limits:\n  a: 1\n  'a': 1\n"), "f:3: limits[\"a\"]: given twice");
  EXPECT_EQ(Parsed("by_number: {x: {}}"), "f:1: by_number: expected a whole number, found \"x\"");
  EXPECT_THAT(Parsed("limits: {[a]: 1}"), HasSubstr("f:1: limits: expected text, found a list"));
}

TEST(ConfigLoaderTest, GrammarMistakesNameTheLine) {
  EXPECT_THAT(Parsed("int32_value: 1\n  bool_value: true\n"), HasSubstr("f:2: "));
  EXPECT_EQ(Parsed("a: *b"), "f:1: the referenced anchor is not defined");
}

TEST(ConfigLoaderTest, AllMistakesAreReportedInTheirOrder) {
  EXPECT_EQ(Parsed("names: [a, [b], {c: d}]\nint32: 1\nint32_value: x\nleft: a\nright:\nlimits: {a: x, b: 1}\n"
                   "nested: {colour: green, bool_value: yes}\nchildren: [{duration: soon}, 3]\nint32_value: 2\n"),
            "f:1: names[1]: expected text, found a list\n"
            "f:1: names[2]: expected text, found fields\n"
            "f:2: " +
                Parsed("int32: 1").substr(5) +
                "\nf:3: int32_value: expected a whole number, found \"x\"\n"
                "f:5: right: only one of left, right may be given\n"
                "f:6: limits[\"a\"]: expected a whole number, found \"x\"\n"
                "f:7: nested.colour: expected one of COLOUR_UNSPECIFIED, RED, BLUE, found \"green\"\n"
                "f:7: nested.bool_value: expected true or false, found \"yes\"\n"
                "f:8: children[0].duration: expected a duration like 250ms, 3s or 1h30m, found \"soon\"\n"
                "f:8: children[1]: expected fields (name: value), found \"3\"\n"
                "f:9: int32_value: given twice");
}

TEST(ConfigLoaderTest, WithProblemsTheRestIsReadAndKeepsItsPlace) {
  ExampleConfig config;
  ConfigProblems problems;
  ASSERT_OK(ParseConfig("names:\n- [a]\n- b\ncolours: [GREEN, BLUE]\nint32_value: x\nbool_value: true\n", "f", &config,
                        &problems));
  EXPECT_EQ(config.ShortDebugString(),
            "bool_value: true names: \"\" names: \"b\" colours: COLOUR_UNSPECIFIED colours: BLUE");
  EXPECT_EQ(problems.lines().size(), 3u);
  EXPECT_EQ(problems.PlaceOf("f", "names[1]"), "f:3: names[1]");

  EXPECT_THAT(ParseConfig("a: [", "f", &config, &problems), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LoadConfigTest, ReadsAFile) {
  const std::string path = ::testing::TempDir() + "/config.yaml";
  std::ofstream(path) << "int32_value: 7\n";
  ExampleConfig config;
  ConfigProblems problems;
  ASSERT_OK(LoadConfig(path, &config, &problems));
  EXPECT_EQ(config.int32_value(), 7);
  std::ofstream(path) << "\nint32_value: x\n";
  ASSERT_OK(LoadConfig(path, &config, &problems));
  EXPECT_EQ(problems.ToStatus(path).message(), path + ":2: int32_value: expected a whole number, found \"x\"");
}

TEST(LoadConfigTest, NamesAFileThatCannotBeRead) {
  ExampleConfig config;
  ConfigProblems problems;
  const absl::Status status = LoadConfig("/nowhere/config.yaml", &config, &problems);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(status.message(), "cannot read /nowhere/config.yaml: No such file or directory");
  EXPECT_THAT(LoadConfig(::testing::TempDir(), &config, &problems), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LoadConfigTest, RefusesALargeFile) {
  const std::string path = ::testing::TempDir() + "/large.yaml";
  std::ofstream(path) << "string_value: " << std::string(1024 * 1024, 'x');
  ExampleConfig config;
  ConfigProblems problems;
  EXPECT_EQ(LoadConfig(path, &config, &problems).message(), path + " is larger than 1048576 bytes");
}

}  // namespace
}  // namespace entrepot::runtime
