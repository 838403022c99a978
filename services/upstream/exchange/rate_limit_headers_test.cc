#include "services/upstream/exchange/rate_limit_headers.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace entrepot::upstream {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

void ExpectLimit(const Fields& fields, std::optional<int64_t> limit, std::optional<int64_t> remaining) {
  const RateLimit parsed = ParseRateLimit({.status = 200, .fields = fields});
  EXPECT_EQ(parsed.limit, limit) << testing::PrintToString(fields);
  EXPECT_EQ(parsed.remaining, remaining) << testing::PrintToString(fields);
}

TEST(RateLimitHeadersTest, ReadsDockersForm) {
  ExpectLimit({{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", "76;w=21600"}}, 100, 76);
}

TEST(RateLimitHeadersTest, ReadsTheFormsOfTheDrafts) {
  ExpectLimit({{"ratelimit-limit", "100, 100;w=60"}, {"ratelimit-remaining", "40"}, {"ratelimit-reset", "9"}}, 100, 40);
  ExpectLimit({{"ratelimit", "limit=100, remaining=40, reset=30"}}, 100, 40);
  ExpectLimit({{"ratelimit-policy", "\"a\";q=100;w=60"}, {"ratelimit", "\"a\";r=40;t=30"}}, 100, 40);
}

TEST(RateLimitHeadersTest, ReadsTheFormWithX) {
  ExpectLimit({{"x-ratelimit-limit", "44000"}, {"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1700000000"}},
              44000, 0);
}

TEST(RateLimitHeadersTest, TakesTheLimitWithTheLeastLeft) {
  ExpectLimit({{"ratelimit-policy", "\"hour\";q=1000;w=3600, \"minute\";q=60;w=60"},
               {"ratelimit", "\"hour\";r=900;t=3000, \"minute\";r=5;t=30"}},
              60, 5);
  ExpectLimit({{"ratelimit-limit", "100"},
               {"ratelimit-remaining", "40"},
               {"x-ratelimit-limit", "9"},
               {"x-ratelimit-remaining", "3"}},
              9, 3);
}

TEST(RateLimitHeadersTest, AbsenceIsNoLimitOfZero) {
  ExpectLimit({}, std::nullopt, std::nullopt);
  ExpectLimit({{"ratelimit-limit", "many"}, {"ratelimit-remaining", ""}}, std::nullopt, std::nullopt);
  ExpectLimit({{"ratelimit-remaining", "-1"}}, std::nullopt, std::nullopt);
  ExpectLimit({{"ratelimit", ",;=,\"\";r="}}, std::nullopt, std::nullopt);
  ExpectLimit({{"ratelimit-limit", "99999999999999999999"}}, std::nullopt, std::nullopt);
}

std::optional<absl::Duration> RetryAfter(const std::string& value, const std::string& name = "retry-after") {
  return ParseRetryAfter({.status = 429, .fields = {{name, value}}}, absl::FromUnixSeconds(1'700'000'000));
}

TEST(RetryAfterTest, ReadsSecondsAndDates) {
  EXPECT_EQ(RetryAfter("40"), absl::Seconds(40));
  EXPECT_EQ(RetryAfter(" 2.5 "), absl::Seconds(2.5));
  EXPECT_EQ(RetryAfter("Tue, 14 Nov 2023 22:13:50 GMT"), absl::Seconds(30));
  EXPECT_EQ(RetryAfter("Tuesday, 14-Nov-23 22:13:50 GMT"), absl::Seconds(30));
  EXPECT_EQ(RetryAfter("Tue Nov 14 22:13:50 2023"), absl::Seconds(30));
  EXPECT_EQ(RetryAfter("1700000060", "x-retry-after"), absl::Seconds(60));
}

TEST(RetryAfterTest, IsHeldBetweenASecondAndAnHour) {
  EXPECT_EQ(RetryAfter("0"), absl::Seconds(1));
  EXPECT_EQ(RetryAfter("-5"), absl::Seconds(1));
  EXPECT_EQ(RetryAfter("86400"), absl::Hours(1));
  EXPECT_EQ(RetryAfter("Tue, 14 Nov 2000 22:13:50 GMT"), absl::Seconds(1));
}

TEST(RetryAfterTest, IgnoresOtherText) {
  for (const char* text : {"", "soon", "985.86µs", "inf", "nan", "Tue, 32 Nov 2023 22:13:50 GMT"}) {
    EXPECT_EQ(RetryAfter(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace entrepot::upstream
