#include "services/runtime/log/json_log.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "boost/json/parse.hpp"
#include "boost/json/value.hpp"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

std::string Format(absl::string_view message, std::vector<LogField> fields = {}) {
  return FormatLogLine(absl::FromUnixMillis(1795497600123), LogLevel::kInfo, message, fields);
}

TEST(JsonLogTest, WritesTheDocumentedLine) {
  EXPECT_EQ(Format("serving", {{"port", 5000}}),
            "{\"time\":\"2026-11-24T05:20:00.123Z\",\"level\":\"info\",\"message\":\"serving\",\"port\":5000}\n");
}

TEST(JsonLogTest, WritesEveryType) {
  const std::string text = "text";
  const std::string line = Format("m", {{"a", text},
                                        {"b", "literal"},
                                        {"c", true},
                                        {"d", std::numeric_limits<int64_t>::min()},
                                        {"e", std::numeric_limits<uint64_t>::max()},
                                        {"f", 0.1},
                                        {"g", 1e300}});
  EXPECT_EQ(line.substr(line.find(",\"message\"")),
            ",\"message\":\"m\",\"a\":\"text\",\"b\":\"literal\",\"c\":true,\"d\":-9223372036854775808,"
            "\"e\":18446744073709551615,\"f\":0.1,\"g\":1e+300}\n");
}

TEST(JsonLogTest, WritesInfinityAndNanAsText) {
  const boost::json::value line = boost::json::parse(Format("m", {{"nan", std::nan("")}, {"inf", -INFINITY}}));
  EXPECT_EQ(line.at("nan").as_string(), "nan");
  EXPECT_EQ(line.at("inf").as_string(), "-inf");
}

TEST(JsonLogTest, AllBytesGiveOneLineOfJson) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  const std::string line = Format(bytes, {{bytes, bytes}});
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const boost::json::value parsed = boost::json::parse(line);
  const std::string message(parsed.at("message").as_string());
  EXPECT_EQ(message.substr(0, 128), bytes.substr(0, 128));
  // 128 bytes that are not UTF-8.
  EXPECT_EQ(message.size(), 128u + 128 * 3);
  EXPECT_EQ(message.substr(128, 3), "\xEF\xBF\xBD");
}

TEST(JsonLogTest, KeepsValidUtf8) {
  EXPECT_EQ(boost::json::parse(Format("caf\xC3\xA9 \xF0\x9F\x9A\xA2 \xC3(")).at("message").as_string(),
            "caf\xC3\xA9 \xF0\x9F\x9A\xA2 \xEF\xBF\xBD(");
}

TEST(JsonLogTest, ParsesLevels) {
  EXPECT_EQ(ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("info"), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("error"), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("INFO"), std::nullopt);
  EXPECT_EQ(ParseLogLevel(""), std::nullopt);
}

class JsonLogToStderrTest : public testing::Test {
 protected:
  ~JsonLogToStderrTest() override { SetLogLevel(LogLevel::kInfo); }
};

TEST_F(JsonLogToStderrTest, WritesNothingBelowTheLevel) {
  SetLogLevel(LogLevel::kWarning);
  EXPECT_FALSE(LogEnabled(LogLevel::kInfo));
  EXPECT_TRUE(LogEnabled(LogLevel::kWarning));
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "unseen");
  Log(LogLevel::kWarning, "seen");
  Log(LogLevel::kError, "seen");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_EQ(written.find("unseen"), std::string::npos);
  EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 2);
}

TEST_F(JsonLogToStderrTest, LogsLibraryLinesAsWarnings) {
  testing::internal::CaptureStderr();
  LogLibraryLine("rocksdb", "cannot sync");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_NE(written.find(R"("level":"warning","message":"rocksdb","line":"cannot sync")"), std::string::npos)
      << written;
}

TEST_F(JsonLogToStderrTest, LinesOfManyThreadsDoNotMix) {
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] {
      for (int j = 0; j < 100; ++j) Log(LogLevel::kInfo, std::string(500, 'x'), {{"thread", i}, {"line", j}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string written = testing::internal::GetCapturedStderr();
  const std::vector<absl::string_view> lines = absl::StrSplit(written, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 800u);
  for (absl::string_view line : lines) {
    boost::json::error_code error;
    boost::json::parse({line.data(), line.size()}, error);
    ASSERT_FALSE(error) << line;
  }
}

}  // namespace
}  // namespace entrepot::runtime
