#include "services/runtime/config/yaml_tree.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using Kind = YamlNode::Kind;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Refusal(absl::string_view text) {
  const auto tree = ParseYaml(text, "f");
  EXPECT_THAT(tree, StatusIs(absl::StatusCode::kInvalidArgument));
  return std::string(tree.status().message());
}

TEST(YamlTreeTest, AnEmptyDocumentIsNothing) {
  for (const char* text : {"", "\n\n", "# a comment", "---\n", "~", "null"}) {
    ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml(text, "f"));
    EXPECT_EQ(root.kind, Kind::kNothing) << text;
  }
}

TEST(YamlTreeTest, KeepsOrderLinesAndRepeatedKeys) {
  ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml("a: 1\nb:\n  - x\n  - 'y'\na:\n", "f"));
  ASSERT_EQ(root.kind, Kind::kMap);
  ASSERT_EQ(root.items.size(), 6u);
  EXPECT_EQ(root.items[0].text, "a");
  EXPECT_EQ(root.items[1].text, "1");
  EXPECT_EQ(root.items[3].kind, Kind::kList);
  ASSERT_EQ(root.items[3].items.size(), 2u);
  EXPECT_EQ(root.items[3].items[0].line, 3);
  EXPECT_FALSE(root.items[3].items[0].quoted);
  EXPECT_EQ(root.items[3].items[1].text, "y");
  EXPECT_EQ(root.items[3].items[1].line, 4);
  EXPECT_TRUE(root.items[3].items[1].quoted);
  EXPECT_EQ(root.items[4].text, "a");
  EXPECT_EQ(root.items[4].line, 5);
  EXPECT_EQ(root.items[5].kind, Kind::kNothing);
}

TEST(YamlTreeTest, BlocksAreQuoted) {
  ASSERT_OK_AND_ASSIGN(const YamlNode root, ParseYaml("a: |\n  1\nb: >\n  2\n", "f"));
  EXPECT_TRUE(root.items[1].quoted);
  EXPECT_EQ(root.items[1].text, "1\n");
  EXPECT_TRUE(root.items[3].quoted);
}

TEST(YamlTreeTest, ReportsTheLineOfASyntaxError) {
  EXPECT_THAT(Refusal("a: 1\nb: [1, 2\nc: 3\n"), StartsWith("f:"));
  EXPECT_THAT(Refusal("a: 1\n\tb: 2\n"), StartsWith("f:2: "));
  EXPECT_THAT(Refusal("a: 1\n]\n"), StartsWith("f:2: "));
  EXPECT_THAT(Refusal("a: \"x"), StartsWith("f:1: "));
}

TEST(YamlTreeTest, RefusesMoreThanOneDocument) {
  EXPECT_EQ(Refusal("a: 1\n---\nb: 2\n"), "f:3: more than one document");
  ASSERT_OK(ParseYaml("---\na: 1\n...\n", "f"));
}

TEST(YamlTreeTest, RefusesAliases) {
  EXPECT_EQ(Refusal("a: &x [1]\nb: *x\n"), "f:2: aliases (*name) are not supported; write the value out");
  std::string laughs = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 60; ++i) absl::StrAppend(&laughs, "a", i, ": &a", i, " [*a", i - 1, ", *a", i - 1, "]\n");
  EXPECT_THAT(Refusal(laughs), HasSubstr("f:2: aliases"));
  EXPECT_THAT(Refusal("a: {<<: *x}\n"), StartsWith("f:1: "));
}

TEST(YamlTreeTest, RefusesTags) {
  EXPECT_EQ(Refusal("a: 1\nb: !!int 2\n"), "f:2: tags (!name) are not supported");
  EXPECT_THAT(Refusal("a: !mine {}\n"), HasSubstr("tags"));
  EXPECT_THAT(Refusal("a: !!seq [1]\n"), HasSubstr("tags"));
}

TEST(YamlTreeTest, LimitsDepth) {
  EXPECT_OK(ParseYaml(std::string(32, '[') + std::string(32, ']'), "f"));
  EXPECT_EQ(Refusal(std::string(33, '[') + std::string(33, ']')), "f:1: nested too deeply");
  EXPECT_EQ(Refusal(std::string(100000, '[')), "f:1: nested too deeply");
  EXPECT_EQ(Refusal(std::string(100000, '{')), "f:1: nested too deeply");
  std::string dashes;
  for (int i = 0; i < 100000; ++i) dashes += "- ";
  EXPECT_EQ(Refusal(dashes), "f:1: nested too deeply");
  std::string questions;
  for (int i = 0; i < 100000; ++i) questions += "? ";
  EXPECT_EQ(Refusal(questions), "f:1: nested too deeply");
}

TEST(YamlTreeTest, LimitsSize) {
  EXPECT_OK(ParseYaml("a: " + std::string(kYamlBytesMax - 3, 'x'), "f"));
  EXPECT_EQ(Refusal("a: " + std::string(kYamlBytesMax - 2, 'x')), "f:1: larger than 1048576 bytes");
}

TEST(YamlTreeTest, RefusesInvalidText) {
  EXPECT_EQ(Refusal("a: 1\nb: \xff\n"), "f:2: not UTF-8");
  // yaml-cpp would treat this as the end of the text.
  EXPECT_EQ(Refusal("a: 1\n\x04\nb: 2\n"), "f:2: a control character");
  EXPECT_EQ(Refusal(absl::string_view("a: \0", 4)), "f:1: a control character");
  // UTF-16.
  EXPECT_EQ(Refusal(absl::string_view("\xff\xfe"
                                      "a\0:\0",
                                      6)),
            "f:1: not UTF-8");
  EXPECT_OK(ParseYaml("a: caf\xC3\xA9\r\n", "f"));
  EXPECT_OK(
      ParseYaml("\xEF\xBB\xBF"
                "a: 1\n",
                "f"));
}

}  // namespace
}  // namespace entrepot::runtime
