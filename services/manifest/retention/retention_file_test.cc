#include "services/manifest/retention/retention_file.h"

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::HasSubstr;

class RetentionFileTest : public testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  absl::StatusOr<std::unique_ptr<RetentionFile>> Open() {
    return RetentionFile::Open(path_, registry_, /*poll_interval=*/absl::ZeroDuration());
  }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/retention.yaml";
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

TEST_F(RetentionFileTest, ReloadsChangesAndKeepsTheOldRulesIfTheNewOnesAreInvalid) {
  Write("rules: [{repositories: [a]}]");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RetentionFile> file, Open());
  EXPECT_EQ(file->current()->file.rules_size(), 1);

  Write("rules: [{repositories: [a]}, {repositories: [b]}]");
  ASSERT_OK(file->ReloadIfChanged());
  EXPECT_EQ(file->current()->file.rules_size(), 2);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_retention_reloads_total{result=\"success\"} 2"));

  Write("rules: [{repositories: []}]");
  EXPECT_THAT(file->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(file->current()->file.rules_size(), 2);
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_retention_reloads_total{result=\"failure\"} 1"));
}

TEST_F(RetentionFileTest, HoldsANewFileBackThatLacksARule) {
  const std::string first = "rules:\n- repositories: [a]\n  keep:\n    last_tags: 10\n";
  const std::string rest = "    tags: [\"v*\"]\n- repositories: [b]\n";
  Write(first + rest);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RetentionFile> file,
                       RetentionFile::Open(path_, registry_, absl::Milliseconds(1)));
  testing::internal::CaptureStderr();
  Write(first);
  EXPECT_TRUE(Eventually([&] { return absl::StrContains(Metrics(), "{result=\"held_back\"} 1"); }));
  Write(first + rest + "- repositories: [c]\n");
  EXPECT_TRUE(Eventually([&] { return file->current()->file.rules_size() == 3; }));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("a new retention is held back, because it lacks restrictions of the one in force"));
  EXPECT_THAT(log, HasSubstr("rules[0] \\\"\\\", rules[1] \\\"\\\""));
  EXPECT_THAT(log, testing::Not(HasSubstr("the new retention lacks restrictions")));
}

TEST_F(RetentionFileTest, OpenFailsWithTheNameOfAnInvalidFile) {
  EXPECT_THAT(CheckRetentionFile(path_), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr(path_));

  Write("rules: [{}]");
  EXPECT_EQ(CheckRetentionFile(path_), Open().status());
  EXPECT_THAT(std::string(CheckRetentionFile(path_).message()), HasSubstr("retention.yaml:1: rules[0].repositories: "));

  Write("rules: [{repositories: [a]}]");
  EXPECT_OK(CheckRetentionFile(path_));
}

}  // namespace
}  // namespace entrepot::manifest
