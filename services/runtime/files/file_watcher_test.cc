#include "services/runtime/files/file_watcher.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FileWatcherTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(directory_); }

  std::string PathOf(const std::string& name) const { return directory_ + "/" + name; }
  void Write(const std::string& name, const std::string& contents) const {
    std::ofstream(PathOf(name) + ".new") << contents;
    std::filesystem::rename(PathOf(name) + ".new", PathOf(name));
  }
  // Records what it loads. Text that begins with "bad" cannot be used.
  FileWatcher::Loader Remember() {
    return [this](const absl::StatusOr<std::vector<std::string>>& contents) -> absl::Status {
      RETURN_IF_ERROR(contents.status());
      const std::string text = absl::StrJoin(*contents, "+");
      if (text.starts_with("bad")) return absl::InvalidArgumentError(absl::StrCat("it is ", text));
      loaded_.push_back(text);
      ++loads_;
      return absl::OkStatus();
    };
  }

  const std::string directory_ =
      absl::StrCat(testing::TempDir(), "/", testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<std::string> loaded_;
  std::atomic<int> loads_{0};
};

TEST_F(FileWatcherTest, LoadsAtFirstAndWhenContentsChange) {
  Write("a", "one");
  Write("b", "two");
  FileWatcher watcher("thing", {PathOf("a"), PathOf("b")}, Remember());
  ASSERT_OK(watcher.Start(absl::ZeroDuration()));
  testing::internal::CaptureStderr();
  EXPECT_OK(watcher.ReloadIfChanged());
  Write("a", "one");
  EXPECT_OK(watcher.ReloadIfChanged());
  Write("b", "three");
  EXPECT_OK(watcher.ReloadIfChanged());
  EXPECT_THAT(loaded_, ElementsAre("one+two", "one+three"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("new thing in use"));
}

TEST_F(FileWatcherTest, ReturnsTheFirstFailureWithoutLoggingIt) {
  testing::internal::CaptureStderr();
  FileWatcher missing("thing", {PathOf("none")}, Remember());
  const absl::Status status = missing.Start(absl::Milliseconds(1));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(status.message()), HasSubstr(PathOf("none")));
  Write("a", "bad");
  FileWatcher bad("thing", {PathOf("a")}, Remember());
  EXPECT_THAT(bad.Start(absl::Milliseconds(1)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(FileWatcherTest, LogsUnusableFilesOnceAndRetriesWhenTheyChange) {
  Write("a", "one");
  FileWatcher watcher("thing", {PathOf("a")}, Remember());
  ASSERT_OK(watcher.Start(absl::ZeroDuration()));
  testing::internal::CaptureStderr();
  Write("a", "bad");
  EXPECT_THAT(watcher.ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(watcher.ReloadIfChanged());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(log, HasSubstr("new thing refused, the old one stays"));
  EXPECT_THAT(log, HasSubstr("it is bad"));
  testing::internal::CaptureStderr();
  std::filesystem::remove(PathOf("a"));
  EXPECT_THAT(watcher.ReloadIfChanged(), StatusIs(absl::StatusCode::kNotFound));
  Write("a", "one");
  EXPECT_OK(watcher.ReloadIfChanged());
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(loaded_, ElementsAre("one", "one"));
}

TEST_F(FileWatcherTest, WatchesOnItsOwnThread) {
  Write("a", "one");
  FileWatcher watcher("thing", {PathOf("a")}, Remember());
  ASSERT_OK(watcher.Start(absl::Milliseconds(1)));
  testing::internal::CaptureStderr();
  Write("a", "two");
  ASSERT_TRUE(Eventually([&] { return loads_ >= 2; }));
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(loaded_, ElementsAre("one", "two"));
}

TEST_F(FileWatcherTest, HoldsContentsThatMayBeCutShort) {
  std::atomic<int> held{0};
  const auto hold = [&](const absl::StatusOr<std::vector<std::string>>& contents) {
    const bool is_cut = contents->front() == "cut";
    if (is_cut) ++held;
    return is_cut ? absl::InfiniteDuration() : absl::ZeroDuration();
  };
  Write("a", "one");
  FileWatcher watcher("thing", {PathOf("a")}, Remember(), hold);
  ASSERT_OK(watcher.Start(absl::Milliseconds(1)));
  testing::internal::CaptureStderr();
  Write("a", "cut");
  ASSERT_TRUE(Eventually([&] { return held == 1; }));
  Write("a", "two");
  ASSERT_TRUE(Eventually([&] { return loads_ >= 2; }));
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(loaded_, ElementsAre("one", "two"));
  EXPECT_EQ(held, 1);
}

TEST_F(FileWatcherTest, LoadsHeldContentsThatStayTheSame) {
  std::atomic<int> held{0};
  const auto hold = [&](const absl::StatusOr<std::vector<std::string>>&) {
    ++held;
    return absl::Milliseconds(1100);
  };
  Write("a", "one");
  FileWatcher watcher("thing", {PathOf("a")}, Remember(), hold);
  ASSERT_OK(watcher.Start(absl::Milliseconds(1)));
  testing::internal::CaptureStderr();
  Write("a", "two");
  ASSERT_TRUE(Eventually([&] { return loads_ >= 2; }));
  testing::internal::GetCapturedStderr();
  EXPECT_THAT(loaded_, ElementsAre("one", "two"));
  EXPECT_EQ(held, 1);
}

TEST_F(FileWatcherTest, ManyThreadsMayReload) {
  Write("a", "0");
  FileWatcher watcher("thing", {PathOf("a")}, Remember());
  ASSERT_OK(watcher.Start(absl::Milliseconds(1)));
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) watcher.ReloadIfChanged().IgnoreError();
    });
  }
  for (int i = 1; i < 10; ++i) Write("a", absl::StrCat(i));
  for (std::thread& thread : threads) thread.join();
  EXPECT_OK(watcher.ReloadIfChanged());
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(loaded_.back(), "9");
}

}  // namespace
}  // namespace entrepot::runtime
