#include "services/runtime/log/limited_log.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(LimitedLogTest, WritesOneLineOfEachMessageAndKeyWithTheNumberOfTheOthers) {
  FlushLimitedLog();
  testing::internal::CaptureStderr();
  for (int i = 1; i <= 4; ++i) LogLimited(LogLevel::kError, "request failed", "192.0.2.1", {{"number", i}});
  LogLimited(LogLevel::kError, "request failed", "192.0.2.2", {{"number", 5}});
  LogLimited(LogLevel::kDebug, "request failed", "192.0.2.3", {{"number", 6}});
  FlushLimitedLog();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("\"message\":\"request failed\",\"number\":1}\n"));
  EXPECT_THAT(log, HasSubstr("\"message\":\"request failed\",\"number\":2,\"count\":3}\n"));
  EXPECT_THAT(log, HasSubstr("\"number\":5}\n"));
  EXPECT_THAT(log, Not(HasSubstr("\"number\":6")));
}

}  // namespace
}  // namespace entrepot::runtime
