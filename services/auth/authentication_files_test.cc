#include "services/auth/authentication_files.h"

#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"

namespace entrepot::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AuthenticationFilesTest : public testing::Test {
 protected:
  std::vector<std::string> Check(const std::string& accounts, const std::string& policy) {
    std::ofstream(directory_.path() + "/accounts") << accounts;
    std::ofstream(directory_.path() + "/policy.yaml") << policy;
    config::v1::Authentication authentication;
    authentication.set_accounts_file(directory_.path() + "/accounts");
    authentication.set_policy_file(directory_.path() + "/policy.yaml");
    runtime::ConfigProblems problems;
    CheckAuthenticationFiles("authentication", authentication, &problems);
    return problems.lines();
  }

  kv::TemporaryDirectory directory_;
};

TEST_F(AuthenticationFilesTest, AcceptsValidFiles) {
  EXPECT_THAT(Check("ci:$2b$05$bS55pRWSeCe.qb0YNVPs9eu3NnlWFH2eTCUQWvL6SHDquMRzPlo6K\n", "administrators: [ci]\n"),
              IsEmpty());
}

TEST_F(AuthenticationFilesTest, ReportsEachProblemOfBothFiles) {
  EXPECT_THAT(
      Check("ci:plain\nnot a line\n", "rules:\n  - subjects: [ci]\n    repositories: [a]\n    actions: [pul]\n"),
      ElementsAre(HasSubstr("/accounts:1: "), HasSubstr("/accounts:2: "),
                  HasSubstr("authentication.policy_file: policy.yaml:4: rules[0].actions[0]: ")));
}

TEST_F(AuthenticationFilesTest, DoesNotReportUnreadableFiles) {
  config::v1::Authentication authentication;
  authentication.set_accounts_file(directory_.path() + "/missing");
  authentication.set_policy_file(directory_.path() + "/missing.yaml");
  runtime::ConfigProblems problems;
  CheckAuthenticationFiles("authentication", authentication, &problems);
  EXPECT_THAT(problems.lines(), IsEmpty());
}

}  // namespace
}  // namespace entrepot::auth
