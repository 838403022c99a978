#include "services/core/failpoint/failpoint_control.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/failpoint/failpoint.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

absl::Status TwoSteps() {
  RETURN_IF_ERROR(Failpoint("core.test.first"));
  return Failpoint("core.test.second");
}

TEST(FailpointControlTest, DoesNothingWithoutAHandler) { EXPECT_OK(TwoSteps()); }

TEST(FailpointControlTest, AHandlerDecides) {
  std::vector<std::string> names;
  {
    ScopedFailpoints failpoints([&](absl::string_view name) {
      names.emplace_back(name);
      return absl::DataLossError("here");
    });
    EXPECT_EQ(TwoSteps(), absl::DataLossError("here"));
  }
  EXPECT_THAT(names, ElementsAre("core.test.first"));
  EXPECT_OK(TwoSteps());
}

TEST(FailpointControlTest, DestroyingAHandlerWaitsForItsCalls) {
  absl::Notification inside, go_on;
  bool left = false;
  auto failpoints = std::make_unique<ScopedFailpoints>([&](absl::string_view) {
    inside.Notify();
    go_on.WaitForNotification();
    left = true;
    return absl::OkStatus();
  });
  std::thread caller([] { EXPECT_OK(Failpoint("core.test.first")); });
  inside.WaitForNotification();
  std::thread waker([&] { go_on.Notify(); });
  failpoints.reset();
  EXPECT_TRUE(left);
  caller.join();
  waker.join();
}

TEST(FailpointControlTest, ListsReachedSteps) {
  EXPECT_THAT(ReachedFailpoints(), Not(Contains("core.test.told")));
  EXPECT_OK(Failpoint("core.test.told"));
  EXPECT_THAT(ReachedFailpoints(), Contains("core.test.told"));
}

struct Ended {
  int wait_status = 0;
  std::string err;
  std::string log;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Runs this program again as a child, which calls TwoSteps() twice (see main below).
Ended RunProcess(const std::string& failpoints) {
  const std::string base = testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string err = base + ".err", log = base + ".log";
  ::unlink(log.c_str());
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(err.c_str(), "w", stderr) == nullptr) ::_exit(99);
    ::setenv("ENTREPOT_FAILPOINTS", failpoints.c_str(), 1);
    ::setenv("ENTREPOT_FAILPOINTS_LOG", log.c_str(), 1);
    ::execl("/proc/self/exe", "failpoint_control_test", "steps", nullptr);
    ::_exit(98);
  }
  Ended ended;
  EXPECT_EQ(::waitpid(child, &ended.wait_status, WUNTRACED), child);
  if (WIFSTOPPED(ended.wait_status)) {
    ::kill(child, SIGCONT);
    int rest = 0;
    EXPECT_EQ(::waitpid(child, &rest, 0), child);
    EXPECT_TRUE(WIFEXITED(rest));
    EXPECT_EQ(WEXITSTATUS(rest), 0);
  }
  ended.err = ReadFile(err);
  ended.log = ReadFile(log);
  return ended;
}

TEST(FailpointControlTest, AProcessLogsItsSteps) {
  const Ended ended = RunProcess("");
  EXPECT_TRUE(WIFEXITED(ended.wait_status));
  EXPECT_EQ(WEXITSTATUS(ended.wait_status), 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_EQ(ended.log, "core.test.first\ncore.test.second\n");
}

TEST(FailpointControlTest, AProcessDiesAsIfKilled) {
  const Ended ended = RunProcess("core.test.second=crash");
  EXPECT_TRUE(WIFSIGNALED(ended.wait_status));
  EXPECT_EQ(WTERMSIG(ended.wait_status), SIGKILL);
  EXPECT_EQ(ended.err, "failpoint core.test.second: crash\n");
}

TEST(FailpointControlTest, AStepOfAProcessFails) {
  const Ended ended = RunProcess("core.test.first=error@2,core.test.second=sleep:1ms");
  EXPECT_TRUE(WIFEXITED(ended.wait_status));
  EXPECT_EQ(WEXITSTATUS(ended.wait_status), 1);
  EXPECT_EQ(ended.err, "failpoint core.test.second: sleep\nfailpoint core.test.first: error\n");
}

TEST(FailpointControlTest, AProcessStops) {
  const Ended ended = RunProcess("core.test.first=stop@1");
  EXPECT_TRUE(WIFSTOPPED(ended.wait_status));
  EXPECT_EQ(ended.err, "failpoint core.test.first: stop\n");
}

TEST(FailpointControlTest, AnInvalidPlanIsReportedInOneLine) {
  const Ended ended = RunProcess("core.test.first=explode");
  EXPECT_TRUE(WIFEXITED(ended.wait_status));
  EXPECT_EQ(WEXITSTATUS(ended.wait_status), 2);
  EXPECT_EQ(ended.err,
            "ENTREPOT_FAILPOINTS: core.test.first: \"explode\" is none of crash, error, stop, sleep:DURATION\n");
}

int Steps() {
  for (int time = 0; time < 2; ++time) {
    if (!TwoSteps().ok()) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace entrepot

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "steps") return entrepot::Steps();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
