#include "services/runtime/log/limited_lines.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "boost/json/parse.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"

namespace entrepot::runtime {
namespace {

using ::testing::ElementsAre;

class LimitedLinesTest : public testing::Test {
 protected:
  std::vector<std::string> Written() {
    const absl::MutexLock lock(&mutex_);
    return written_;
  }

  absl::Mutex mutex_;
  std::vector<std::string> written_;
  LimitedLines::Sink sink_ = [this](absl::string_view line) {
    const absl::MutexLock lock(&mutex_);
    written_.emplace_back(line);
  };
};

TEST_F(LimitedLinesTest, WritesTheCountWhenTheSecondIsOver) {
  LimitedLines lines(sink_);
  for (const char* text : {"{\"a\":1}\n", "{\"a\":2}\n", "{\"a\":3}\n"}) {
    lines.Write("key", [&] { return std::string(text); });
  }
  EXPECT_TRUE(Eventually([&] { return Written().size() == 2; }));
  EXPECT_THAT(Written(), ElementsAre("{\"a\":1}\n", "{\"a\":2,\"count\":2}\n"));
}

TEST_F(LimitedLinesTest, WritesTheCountsAtTheEnd) {
  {
    LimitedLines lines(sink_);
    for (int i = 0; i < 5; ++i) lines.Write("key", [] { return "{\"a\":1}\n"; });
    lines.Write("other", [] { return "{\"b\":1}\n"; });
  }
  EXPECT_THAT(Written(), ElementsAre("{\"a\":1}\n", "{\"b\":1}\n", "{\"a\":1,\"count\":4}\n"));
}

TEST_F(LimitedLinesTest, CountsEveryLineOfManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kLines = 5'000;
  {
    LimitedLines lines(sink_);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < kLines; ++i) lines.Write(absl::StrCat(i % 3), [] { return "{\"a\":1}\n"; });
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  int64_t sum = 0;
  for (const std::string& line : Written()) {
    const auto fields = boost::json::parse(line).as_object();
    sum += fields.contains("count") ? fields.at("count").as_int64() : 1;
  }
  EXPECT_EQ(sum, kThreads * kLines);
}

}  // namespace
}  // namespace entrepot::runtime
