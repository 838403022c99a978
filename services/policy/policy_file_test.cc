#include "services/policy/policy_file.h"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::policy {
namespace {

using testing::HasSubstr;

class PolicyFileTest : public testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  absl::StatusOr<std::unique_ptr<PolicyFile>> Open() {
    return PolicyFile::Open(path_, registry_, /*poll_interval=*/absl::ZeroDuration());
  }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/policy.yaml";
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

TEST_F(PolicyFileTest, LoadsChanges) {
  Write("administrators: [ada]");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PolicyFile> file, Open());
  EXPECT_TRUE(file->current()->IsAdministrator({"ada", {}}));
  const std::shared_ptr<const Policy> before = file->current();

  ASSERT_OK(file->ReloadIfChanged());
  EXPECT_EQ(file->current(), before);

  Write("administrators: [grace]");
  ASSERT_OK(file->ReloadIfChanged());
  EXPECT_TRUE(file->current()->IsAdministrator({"grace", {}}));
  EXPECT_FALSE(file->current()->IsAdministrator({"ada", {}}));
  EXPECT_TRUE(before->IsAdministrator({"ada", {}}));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_policy_reloads_total{result=\"success\"} 2"));
}

TEST_F(PolicyFileTest, KeepsTheOldPolicyIfTheNewOneIsInvalid) {
  Write("administrators: [ada]");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PolicyFile> file, Open());
  Write("administrators: [anyone]");
  EXPECT_THAT(file->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(file->current()->IsAdministrator({"ada", {}}));
  EXPECT_FALSE(file->current()->IsAdministrator({"", {}}));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_policy_reloads_total{result=\"failure\"} 1"));
}

TEST_F(PolicyFileTest, LogsAllMistakesOfANewPolicyWithTheirPlaces) {
  Write("administrators: [ada]");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PolicyFile> file, Open());
  Write("administrators: [anyone]\nruls: []\nrules:\n- subjects: [a]\n");
  testing::internal::CaptureStderr();
  EXPECT_THAT(file->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("new policy refused, the old one stays"));
  for (const char* place : {"policy.yaml:1: administrators[0]: ", "policy.yaml:2: unknown field",
                            "policy.yaml:4: rules[0].repositories: ", "policy.yaml:4: rules[0].actions: "}) {
    EXPECT_THAT(log, HasSubstr(place));
  }
}

TEST_F(PolicyFileTest, ShowsEachUsablePolicyBeforeItIsInForce) {
  std::vector<bool> read;
  Write("administrators: [ada]");
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<PolicyFile> file,
      PolicyFile::Open(path_, registry_, absl::ZeroDuration(), Accounts::kSome, [&](const Policy& policy) {
        read.push_back(policy.IsAdministrator({"ada", {}}));
      }));
  Write("administrators: [anyone]");
  EXPECT_THAT(file->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  Write("administrators: [grace]");
  ASSERT_OK(file->ReloadIfChanged());
  EXPECT_THAT(read, testing::ElementsAre(true, false));
}

TEST_F(PolicyFileTest, WarnsIfTheNewPolicyLacksRestrictions) {
  const std::string rules = "administrators: [ada]\n";
  const std::string final = "immutable_tags: [{name: releases, repositories: [\"**\"], tags: [\"v*\"]}]\n";
  const std::string adding = "create_only_tags: [{subjects: [ada], repositories: [\"**\"], tags: [\"n*\"]}]\n";
  Write(rules + final + adding);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PolicyFile> file, Open());
  const auto reload = [&](const std::string& text) {
    testing::internal::CaptureStderr();
    Write(text);
    EXPECT_OK(file->ReloadIfChanged());
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(reload(rules + adding + final), testing::Not(HasSubstr("lacks restrictions")));
  const std::string log = reload(rules);
  EXPECT_THAT(log, HasSubstr("the new policy lacks restrictions of the old one"));
  EXPECT_THAT(log, HasSubstr("immutable_tags[0] \\\"releases\\\", create_only_tags[0]"));
  EXPECT_THAT(reload(rules + final), testing::Not(HasSubstr("lacks restrictions")));
}

TEST_F(PolicyFileTest, HoldsANewPolicyBackThatLacksRestrictions) {
  const std::string rules = "administrators: [ada]\n";
  const std::string final = "immutable_tags: [{name: releases, repositories: [\"**\"], tags: [\"v*\"]}]\n";
  Write(rules + final);
  std::vector<bool> used;
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<PolicyFile> file,
      PolicyFile::Open(path_, registry_, absl::Milliseconds(1), Accounts::kSome, [&](const Policy& policy) {
        used.push_back(policy.IsAdministrator({"ada", {}}));
      }));
  testing::internal::CaptureStderr();
  Write(rules);
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(Metrics(), "{result=\"held_back\"} 1"); }));
  // The program that writes the file goes on.
  Write("administrators: [grace]\n" + final);
  EXPECT_TRUE(Eventually([&] { return file->current()->IsAdministrator({"grace", {}}); }));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("a new policy is held back, because it lacks restrictions of the one in force"));
  EXPECT_THAT(log, HasSubstr("\"rules\":\"immutable_tags[0] \\\"releases\\\"\",\"seconds\":30"));
  EXPECT_THAT(log, testing::Not(HasSubstr("the new policy lacks restrictions")));
  EXPECT_THAT(used, testing::ElementsAre(true, false));
}

TEST_F(PolicyFileTest, AnUnusableFirstFileIsAnErrorThatNamesIt) {
  absl::Status status = Open().status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
  EXPECT_THAT(CheckPolicyFile(path_), StatusIs(absl::StatusCode::kNotFound));

  Write("administrators: [anyone]");
  EXPECT_EQ(CheckPolicyFile(path_), Open().status());
  status = Open().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr("policy.yaml:1: administrators[0]: "));
}

// The example of the documentation.
TEST(ExamplePolicyTest, DecidesAsDocumented) {
  const auto registry = std::make_shared<prometheus::Registry>();
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<PolicyFile> file,
                       PolicyFile::Open("examples/policy.yaml", registry, absl::ZeroDuration()));
  const std::shared_ptr<const Policy> policy = file->current();
  struct Case {
    std::string account;
    std::string repository;
    bool pull;
    bool push;
    bool remove;
  };
  const Case cases[] = {
      {"prod", "driftwood/web", true, false, false}, {"prod", "driftwood/api", false, false, false},
      {"prod", "public/tools", true, false, false},  {"ci", "driftwood/web", true, true, false},
      {"ci", "driftwood/a/b", true, true, false},    {"ci", "driftwood", false, false, false},
      {"ci", "other/web", false, false, false},      {"admin", "driftwood/web", true, true, true},
      {"admin", "other/web", true, true, true},      {"", "public/tools", true, false, false},
      {"", "driftwood/web", false, false, false},    {"eve", "driftwood/web", false, false, false},
  };
  for (const Case& test : cases) {
    const RepositoryName repository = RepositoryName::Parse(test.repository).value();
    const Subject subject{test.account, {}};
    EXPECT_EQ(policy->Decide(subject, Action::kPull, repository).allowed, test.pull) << test.account;
    EXPECT_EQ(policy->Decide(subject, Action::kPush, repository).allowed, test.push) << test.account;
    EXPECT_EQ(policy->Decide(subject, Action::kDelete, repository).allowed, test.remove) << test.account;
  }
  const TagRules& rules = policy->tag_rules();
  const RepositoryName web = RepositoryName::Parse("driftwood/web").value();
  EXPECT_TRUE(rules.Immutable(web, Tag::Parse("release-1").value()).has_value());
  EXPECT_FALSE(rules.Immutable(web, Tag::Parse("latest").value()).has_value());
  EXPECT_FALSE(rules.MayForbidAny(RepositoryName::Parse("public/tools").value()));
  EXPECT_FALSE(policy->IsAdministrator({"ci", {}}));
}

}  // namespace
}  // namespace entrepot::policy
