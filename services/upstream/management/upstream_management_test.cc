#include "services/upstream/management/upstream_management.h"

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/upstream/upstream_cache_test_fixture.h"

namespace entrepot::upstream {
namespace {

// Of a Status or StatusOr.
MATCHER_P2(FailsWith, code, message, "") {
  const absl::Status status = StatusOf(arg);
  return status.code() == code && testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class UpstreamManagementTest : public UpstreamCacheTest {
 protected:
  void SetUp() override {
    UpstreamCacheTest::SetUp();
    audit_ = runtime::AuditLog::Open(AuditPath(), registry_).value();
    UpstreamManagement::Parts parts{
        .upstreams = file_.get(), .images = cache_.get(), .store = &store_, .clock = &clock_, .audit = audit_.get()};
    parts.room = [](absl::string_view upstream) -> std::optional<types::v1::CacheRoom> {
      types::v1::CacheRoom room;
      room.set_bytes(upstream == "up.example" ? 7 : 0);
      return room;
    };
    management_ = UpstreamManagement::Create(parts);
  }

  std::string AuditPath() const { return directory_.path() + "/audit.log"; }
  std::string Audit() const {
    std::stringstream text;
    text << std::ifstream(AuditPath()).rdbuf();
    return text.str();
  }

  absl::StatusOr<v1::UpstreamJob> Start(const v1::StartUpstreamJob& job) {
    v1::ManageUpstreamsRequest request;
    request.mutable_caller()->set_account("ada");
    request.set_remote_address("192.0.2.9");
    *request.mutable_start_job() = job;
    const auto response = management_->Manage(request);
    if (!response.ok()) return response.status();
    return response->job();
  }
  v1::UpstreamJob Await(const std::string& id) {
    v1::UpstreamJob job;
    EXPECT_TRUE(Eventually([&] {
      v1::ManageUpstreamsRequest request;
      request.mutable_get_job()->set_id(id);
      job = management_->Manage(request)->job();
      return job.state() != v1::UpstreamJob::RUNNING;
    }));
    return job;
  }
  // Starts the job and waits for its end.
  v1::UpstreamJob Run(const v1::StartUpstreamJob& job) {
    const auto started = Start(job);
    EXPECT_OK(started);
    return started.ok() ? Await(started->id()) : v1::UpstreamJob();
  }

  std::unique_ptr<runtime::AuditLog> audit_;
  std::unique_ptr<UpstreamManagement> management_;
};

TEST_F(UpstreamManagementTest, ListsUpstreams) {
  WriteFile("    bytes_max: 2MiB\n");
  v1::ManageUpstreamsRequest request;
  request.mutable_list_upstreams();
  ASSERT_OK_AND_ASSIGN(const v1::ManageUpstreamsResponse response, management_->Manage(request));
  ASSERT_EQ(response.upstreams().upstreams_size(), 1);
  const v1::UpstreamStatus& status = response.upstreams().upstreams(0);
  EXPECT_EQ(status.name(), "up.example");
  EXPECT_EQ(status.bytes_max(), uint64_t{2} << 20);
  EXPECT_EQ(status.room().bytes(), 7u);
}

TEST_F(UpstreamManagementTest, PullsAnImage) {
  const Digest layer = upstream_->AddBlob("team/app", "layer");
  const Digest digest = AddManifest(absl::StrCat(R"({"layers":[{"digest":")", layer.ToString(), R"("}]})"), "latest");
  v1::StartUpstreamJob job;
  job.mutable_pull()->set_repository("up.example/team/app");
  const v1::UpstreamJob ended = Run(job);
  EXPECT_EQ(ended.state(), v1::UpstreamJob::DONE) << ended.error();
  EXPECT_EQ(ended.pull().digest(), digest.ToString());
  EXPECT_EQ(ended.pull().blobs_done(), 1u);
  EXPECT_OK(store_.FindBlob(app_, layer));
  EXPECT_THAT(Audit(),
              AllOf(HasSubstr("\"event\":\"upstreams\""), HasSubstr("\"account\":\"ada\""), HasSubstr("192.0.2.9"),
                    HasSubstr("\"command\":\"pull\""), HasSubstr("up.example/team/app"), HasSubstr("started")));

  job.mutable_pull()->set_reference("v9");
  EXPECT_EQ(Run(job).state(), v1::UpstreamJob::FAILED);
}

TEST_F(UpstreamManagementTest, EvictsByTheStore) {
  types::v1::CacheEviction eviction;
  eviction.set_freed_bytes(5);
  store_.SetEviction(eviction);
  v1::StartUpstreamJob job;
  job.mutable_evict()->set_upstream("up.example");
  EXPECT_THAT(Start(job), FailsWith(absl::StatusCode::kInvalidArgument, HasSubstr("bytes_max")));
  job.mutable_evict()->set_bytes_max(0);
  const v1::UpstreamJob ended = Run(job);
  EXPECT_EQ(ended.state(), v1::UpstreamJob::DONE) << ended.error();
  EXPECT_EQ(ended.evict().freed_bytes(), 5u);
  ASSERT_EQ(store_.room_requests().size(), 1u);
  EXPECT_EQ(store_.room_requests()[0].upstream, "up.example");
  EXPECT_EQ(store_.room_requests()[0].bytes_max, 0u);
  EXPECT_TRUE(store_.room_requests()[0].also_recent);
  EXPECT_TRUE(store_.room_requests()[0].also_recent);
  EXPECT_FALSE(store_.room_requests()[0].repository.has_value());
  EXPECT_THAT(Audit(), AllOf(HasSubstr("\"command\":\"evict\""), HasSubstr("up.example to 0 bytes")));
}

TEST_F(UpstreamManagementTest, EvictsAnImage) {
  v1::StartUpstreamJob job;
  job.mutable_evict()->set_repository("up.example/team/app");
  job.mutable_evict()->set_reference("v1");
  job.mutable_evict()->set_dry_run(true);
  EXPECT_EQ(Run(job).state(), v1::UpstreamJob::DONE);
  const RoomRequest request = store_.room_requests().at(0);
  EXPECT_EQ(request.upstream, "up.example");
  EXPECT_EQ(request.repository, app_);
  EXPECT_EQ(ReferenceToString(*request.reference), "v1");
  EXPECT_TRUE(request.dry_run);
  EXPECT_EQ(Audit(), "");
}

TEST_F(UpstreamManagementTest, EvictsWhatTheFileDoesNotHaveAnyMore) {
  WriteFileWithoutTheUpstream();
  v1::StartUpstreamJob job;
  job.mutable_evict()->set_repository("up.example/team/app");
  EXPECT_EQ(Run(job).state(), v1::UpstreamJob::DONE);
  EXPECT_EQ(store_.room_requests().at(0).upstream, "up.example");
}

TEST_F(UpstreamManagementTest, TestsAnUpstream) {
  WriteFile("    url: http://registry.invalid\n");
  v1::StartUpstreamJob job;
  job.mutable_test()->set_upstream("up.example");
  const v1::UpstreamJob ended = Run(job);
  EXPECT_EQ(ended.state(), v1::UpstreamJob::FAILED);
  EXPECT_THAT(ended.error(), HasSubstr("address"));
  EXPECT_GT(ended.test().steps_size(), 1);
  EXPECT_EQ(Audit(), "");
}

TEST_F(UpstreamManagementTest, RefusesWhatItCannotUse) {
  const auto fails = [&](const v1::StartUpstreamJob& job, absl::StatusCode code) {
    EXPECT_THAT(Start(job), StatusIs(code)) << job.ShortDebugString();
  };
  v1::StartUpstreamJob job;
  fails(job, absl::StatusCode::kInvalidArgument);
  job.mutable_test()->set_upstream("none");
  fails(job, absl::StatusCode::kNotFound);
  job.mutable_test()->set_upstream("up.example");
  job.mutable_test()->set_repository("UP");
  fails(job, absl::StatusCode::kInvalidArgument);
  job.mutable_pull()->set_repository("team/app");
  fails(job, absl::StatusCode::kNotFound);
  job.mutable_pull()->set_repository("up.example/team/app");
  job.mutable_pull()->add_platforms("linux");
  fails(job, absl::StatusCode::kInvalidArgument);
  job.mutable_evict()->set_upstream("none");
  job.mutable_evict()->set_bytes_max(0);
  fails(job, absl::StatusCode::kNotFound);
  job.mutable_evict()->set_upstream("up.example");
  job.mutable_evict()->set_reference("v1");
  fails(job, absl::StatusCode::kInvalidArgument);

  v1::ManageUpstreamsRequest request;
  EXPECT_THAT(management_->Manage(request), StatusIs(absl::StatusCode::kInvalidArgument));
  request.mutable_get_job()->set_id("x");
  EXPECT_THAT(management_->Manage(request), StatusIs(absl::StatusCode::kNotFound));
  management_->Stop();
  job.mutable_pull()->set_repository("up.example/team/app");
  fails(job, absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace entrepot::upstream
