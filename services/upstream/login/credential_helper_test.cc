#include "services/upstream/login/credential_helper.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/stopwatch.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using testing::HasSubstr;
using testing::Not;

class CredentialHelperTest : public testing::Test {
 protected:
  // A helper that is a script of the shell.
  std::string Helper(const std::string& script) {
    const std::string path = absl::StrCat(directory_.path(), "/docker-credential-test");
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    EXPECT_EQ(::chmod(path.c_str(), 0700), 0);
    return path;
  }
  auto Run(const std::string& script, absl::Duration timeout = absl::Seconds(20)) {
    return RunCredentialHelper(Helper(script), "registry.example:5000", stop_, timeout);
  }

  kv::TemporaryDirectory directory_;
  StopSignal stop_;
};

TEST_F(CredentialHelperTest, ReturnsWhatTheHelperHasForTheServer) {
  const auto found = Run(R"(read server; echo "{\"ServerURL\":\"x\",\"Username\":\"$1 $server\",\"Secret\":\"s\"}")");
  ASSERT_OK(found);
  EXPECT_EQ(*found, (Credentials{.username = "get registry.example:5000", .password = "s"}));
}

TEST_F(CredentialHelperTest, TakesMissingCredentialsForAnonymous) {
  EXPECT_THAT(Run("echo 'credentials not found in native keychain'; exit 1"), IsOkAndHolds(std::nullopt));
}

TEST_F(CredentialHelperTest, ReportsWhatAFailingHelperWrites) {
  const auto found = Run("echo 'no credentials server URL'; exit 1");
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("no credentials server URL"));
}

TEST_F(CredentialHelperTest, DoesNotShowCredentialsOfAFailingHelper) {
  const auto found = Run("echo '{\"Username\":\"u\",\"Secret\":\"hush\"}'; exit 1");
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(found.status().message()), Not(HasSubstr("hush")));
}

TEST_F(CredentialHelperTest, RefusesOtherOutputAndDoesNotShowIt) {
  for (const char* output : {"secret", "[\"secret\"]", "{\"Username\":\"secret\"}", "{\"Secret\":\"secret\"}",
                             "{\"Username\":5,\"Secret\":\"secret\"}"}) {
    const auto found = Run(absl::StrCat("echo '", output, "'"));
    EXPECT_THAT(found, StatusIs(absl::StatusCode::kUnavailable)) << output;
    EXPECT_THAT(std::string(found.status().message()), Not(HasSubstr("secret"))) << output;
  }
}

TEST_F(CredentialHelperTest, RefusesTooMuchOutput) {
  EXPECT_THAT(Run("exec cat /dev/zero"), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(CredentialHelperTest, KillsAHelperThatTakesTooLong) {
  const Stopwatch stopwatch;
  // The child holds the output open; the second one has closed it.
  EXPECT_THAT(Run("sleep 60 & sleep 60", absl::Milliseconds(100)), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Run("exec >&-; sleep 60", absl::Milliseconds(100)), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_LT(stopwatch.Elapsed(), absl::Seconds(30));
}

TEST_F(CredentialHelperTest, StopsWithTheSignal) {
  stop_.Stop();
  EXPECT_THAT(Run("sleep 60"), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(CredentialHelperTest, FailsWithoutTheProgram) {
  EXPECT_THAT(RunCredentialHelper("/nonexistent/helper", "a", stop_), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(CredentialHelperTest, PassesOnOnlyWhatHelpersNeed) {
  ::setenv("ENTREPOT_TEST_SECRET", "secret", 1);
  ::setenv("AWS_REGION", "eu-west-1", 1);
  const auto found = Run(R"(echo "{\"Username\":\"$AWS_REGION\",\"Secret\":\"$ENTREPOT_TEST_SECRET\"}")");
  ::unsetenv("ENTREPOT_TEST_SECRET");
  ::unsetenv("AWS_REGION");
  ASSERT_OK(found);
  EXPECT_EQ(*found, (Credentials{.username = "eu-west-1", .password = ""}));
}

TEST_F(CredentialHelperTest, RunsNoShell) {
  const auto found = RunCredentialHelper("/bin/true; echo", "a", stop_);
  EXPECT_THAT(found, StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::upstream
