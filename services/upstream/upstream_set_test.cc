#include "services/upstream/upstream_set.h"

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"
#include "services/upstream/testing/fake_upstream_registry.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UpstreamSetTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteFile("  - name: a.example\n  - name: b.example\n");
    ASSERT_OK_AND_ASSIGN(file_, UpstreamsFile::Open(path(), registry_, absl::ZeroDuration()));
    set_ = std::make_unique<UpstreamSet>(
        file_.get(),
        [this](const config::v1::Upstream& upstream) -> absl::StatusOr<std::shared_ptr<UpstreamRegistry>> {
          made_.push_back(upstream.name());
          if (!make_status_.ok()) return make_status_;
          clients_.push_back(std::make_shared<FakeUpstreamRegistry>());
          return clients_.back();
        },
        &clock_, &metrics_);
  }
  void WriteFile(const std::string& entries) {
    std::ofstream(path()) << "upstreams:\n" << entries;
    if (file_ != nullptr) {
      ASSERT_OK(file_->ReloadIfChanged());
    }
  }
  std::string path() const { return directory_.path() + "/upstreams.yaml"; }

  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  UpstreamMetrics metrics_{nullptr};
  absl::Status make_status_;
  std::vector<std::string> made_;
  std::vector<std::shared_ptr<FakeUpstreamRegistry>> clients_;
  std::unique_ptr<UpstreamsFile> file_;
  std::unique_ptr<UpstreamSet> set_;
};

TEST_F(UpstreamSetTest, MakesWhatHasChanged) {
  EXPECT_THAT(made_, ElementsAre("a.example", "b.example"));
  const std::shared_ptr<GuardedRegistry> a = set_->Find("a.example");
  const std::shared_ptr<GuardedRegistry> b = set_->Find("b.example");
  EXPECT_EQ(set_->Find("c.example"), nullptr);
  WriteFile("  - name: b.example\n    connections_max: 3\n  - name: a.example\n  - name: c.example\n");
  EXPECT_EQ(set_->Find("a.example"), a);
  EXPECT_NE(set_->Find("b.example"), b);
  EXPECT_EQ(set_->Find("b.example")->config().connections_max(), 3u);
  EXPECT_NE(set_->Find("c.example"), nullptr);
  EXPECT_THAT(set_->All(), ElementsAre(set_->Find("b.example"), a, set_->Find("c.example")));
  EXPECT_EQ(made_.size(), 4u);
  // Calls that run keep the old one.
  EXPECT_OK(b->ListTags("team/app", 1));
  WriteFile("  - name: c.example\n");
  EXPECT_EQ(set_->Find("a.example"), nullptr);
}

TEST_F(UpstreamSetTest, TriesLaterToMakeWhatCannotBeMade) {
  make_status_ = absl::InvalidArgumentError("no certificate");
  WriteFile("  - name: a.example\n    connections_max: 3\n");
  const absl::Status status = set_->Find("a.example")->ListTags("team/app", 1).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no certificate"));
  EXPECT_EQ(set_->Find("a.example")->config().connections_max(), 3u);
  EXPECT_EQ(made_.size(), 3u);
  make_status_ = absl::OkStatus();
  EXPECT_FALSE(set_->Find("a.example")->ListTags("team/app", 1).ok());
  clock_.Advance(absl::Seconds(10));
  EXPECT_OK(set_->Find("a.example")->ListTags("team/app", 1));
  EXPECT_EQ(made_.size(), 4u);
}

TEST_F(UpstreamSetTest, FindsReadyOnesWithoutMakingAnything) {
  const std::shared_ptr<GuardedRegistry> a = set_->Find("a.example");
  EXPECT_EQ(set_->FindReady("a.example"), a);
  EXPECT_EQ(set_->FindReady("c.example"), nullptr);
  WriteFile("  - name: a.example\n  - name: c.example\n");
  // The file has changed: another call makes what it has now.
  EXPECT_EQ(set_->FindReady("a.example"), nullptr);
  EXPECT_EQ(set_->FindReady("c.example"), nullptr);
  EXPECT_EQ(made_.size(), 2u);
  make_status_ = absl::InvalidArgumentError("no certificate");
  EXPECT_NE(set_->Find("c.example"), nullptr);
  EXPECT_EQ(set_->FindReady("a.example"), a);
  EXPECT_EQ(set_->FindReady("c.example"), nullptr);
}

TEST_F(UpstreamSetTest, StopsAlsoThoseThatRunningCallsKeep) {
  const std::shared_ptr<GuardedRegistry> former = set_->Find("a.example");
  WriteFile("  - name: b.example\n");
  ASSERT_NE(set_->Find("b.example"), nullptr);
  set_->Stop();
  EXPECT_THAT(former->ListTags("team/app", 1), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(set_->Find("b.example")->ListTags("team/app", 1), StatusIs(absl::StatusCode::kCancelled));
  WriteFile("  - name: d.example\n");
  EXPECT_THAT(set_->Find("d.example")->ListTags("team/app", 1), StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::upstream
