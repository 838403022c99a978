#include "services/core/text/json_members.h"

#include "gtest/gtest.h"
#include "services/core/text/strict_json.h"

namespace entrepot {
namespace {

boost::json::value Parse(absl::string_view text) { return ParseStrictJson(text).value(); }

TEST(JsonMembersTest, ReadsTexts) {
  const boost::json::value value = Parse(R"({"a": "text", "b": 1, "c": null, "nul": "a\u0000b"})");
  EXPECT_EQ(JsonText(value, "a"), "text");
  EXPECT_EQ(JsonText(value.get_object(), "a"), "text");
  EXPECT_EQ(JsonText(value, "nul"), absl::string_view("a\0b", 3));
  for (const char* name : {"b", "c", "d", ""}) EXPECT_EQ(JsonText(value, name), "") << name;
}

TEST(JsonMembersTest, ReadsSizes) {
  const boost::json::value value =
      Parse(R"({"zero": 0, "large": 18446744073709551615, "less": -1, "half": 0.5, "text": "1"})");
  EXPECT_EQ(JsonSize(value, "zero"), 0u);
  EXPECT_EQ(JsonSize(value, "large"), UINT64_MAX);
  for (const char* name : {"less", "half", "text", "absent"}) EXPECT_EQ(JsonSize(value, name), std::nullopt) << name;
}

TEST(JsonMembersTest, FindsNothingInOtherValues) {
  for (const char* text : {"null", "1", "[]", "\"a\""}) {
    EXPECT_EQ(JsonMember(Parse(text), "a"), nullptr) << text;
    EXPECT_EQ(JsonText(Parse(text), "a"), "") << text;
  }
}

}  // namespace
}  // namespace entrepot
