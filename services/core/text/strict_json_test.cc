#include "services/core/text/strict_json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using testing::HasSubstr;

std::string Nested(size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(StrictJsonTest, AcceptsValidJson) {
  EXPECT_OK(ParseStrictJson("{}"));
  EXPECT_OK(ParseStrictJson(" \t\r\n{\"a\":[1,-2,3.5e7,true,false,null,\"\"]} \n "));
  EXPECT_OK(ParseStrictJson("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":2}]}"));
  EXPECT_OK(ParseStrictJson("{\"\\u00e9\":\"\\ud83d\\ude00\",\"é\\u0000\":\"é\"}"));
  EXPECT_OK(ParseStrictJson(Nested(kJsonDepthMax)));
}

TEST(StrictJsonTest, DistinguishesKindsOfNumbers) {
  const boost::json::value value = ParseStrictJson("[9223372036854775807,9223372036854775808,1.0,-1]").value();
  EXPECT_TRUE(value.at(0).is_int64());
  EXPECT_TRUE(value.at(1).is_uint64());
  EXPECT_TRUE(value.at(2).is_double());
  EXPECT_EQ(value.at(3).get_int64(), -1);
}

struct Refused {
  std::string text;
  std::string problem;
};

TEST(StrictJsonTest, RefusesAmbiguousTexts) {
  const Refused rows[] = {
      {"", "ends within"},
      {"{", "ends within"},
      {"{\"a\":1,}", "byte 7"},
      {"{'a':1}", "byte 1"},
      {"{\"a\":1} x", "follows the value, at byte 8"},
      {"{}{}", "follows the value, at byte 2"},
      {std::string("{}\0", 3), "follows the value, at byte 2"},
      {"\xEF\xBB\xBF{}", "byte 0"},
      {"/* c */ {}", "byte 0"},
      {"{\"a\":NaN}", "byte 5"},
      {"{\"a\":01}", "byte 6"},
      {"{\"a\":1,\"a\":1}", "the key \"a\" occurs twice"},
      {"{\"a\":1,\"\\u0061\":2}", "the key \"a\" occurs twice"},
      {"{\"x\":[{\"b\":{\"k\":1,\"c\":2,\"k\":3}}]}", "the key \"k\" occurs twice"},
      {"{\"a\":\"\xFF\"}", "byte 6"},
      {"{\"a\":\"\xC0\x80\"}", "byte 6"},
      {"{\"\xED\xA0\x80\":1}", "byte"},
      {"{\"a\":\"\\ud800\"}", "byte"},
      {std::string("{\"a\":\"\0\"}", 9), "byte 6"},
      {Nested(kJsonDepthMax + 1), "nested deeper than 64"},
      {std::string(1'000'000, '['), "nested deeper than 64"},
      {std::string(1'000'000, '{'), "byte 1"},
      {"[0", "ends within"},
  };
  for (const Refused& row : rows) {
    const auto value = ParseStrictJson(row.text);
    EXPECT_THAT(value, StatusIs(absl::StatusCode::kInvalidArgument)) << row.text.substr(0, 60);
    EXPECT_THAT(std::string(value.status().message()), HasSubstr(row.problem)) << row.text.substr(0, 60);
  }
}

TEST(StrictJsonTest, BoundsTheTree) {
  std::string text = "[0";
  for (size_t i = 0; i < kJsonValuesMax; ++i) text += ",0";
  text += "]";
  EXPECT_THAT(std::string(ParseStrictJson(text).status().message()), HasSubstr("array"));
  std::string pairs = "[[0,0]";
  for (size_t i = 0; i < kJsonValuesMax / 3; ++i) pairs += ",[0,0]";
  pairs += "]";
  EXPECT_THAT(std::string(ParseStrictJson(pairs).status().message()), HasSubstr("more than 250000 values"));
}

}  // namespace
}  // namespace entrepot
