#include "services/manifest/maintenance/job_records.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/proto_time.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

class JobRecordsTest : public testing::Test {
 protected:
  v1::Job Running(const std::string& id) {
    v1::Job job;
    job.set_id(id);
    job.set_kind("scrub");
    job.set_state(v1::Job::RUNNING);
    *job.mutable_started_at() = ToTimestamp(clock_.Now());
    return job;
  }

  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  JobRecords records_{&kv_, &clock_};
};

TEST_F(JobRecordsTest, ReadsWhatWasWritten) {
  v1::Job job = Running("1-1");
  ASSERT_OK(records_.Write(job));
  job.set_state(v1::Job::DONE);
  job.mutable_scrub()->set_verified(7);
  ASSERT_OK(records_.Write(job));
  ASSERT_OK_AND_ASSIGN(const std::optional<v1::Job> found, records_.Read("1-1"));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->state(), v1::Job::DONE);
  EXPECT_EQ(found->scrub().verified(), 7u);
  ASSERT_OK_AND_ASSIGN(const std::optional<v1::Job> none, records_.Read("1-2"));
  EXPECT_FALSE(none.has_value());
}

TEST_F(JobRecordsTest, ARunningJobThatIsNotWrittenAnyMoreHasFailed) {
  ASSERT_OK(records_.Write(Running("1-1")));
  clock_.Advance(JobRecords::kEndedAfter);
  EXPECT_EQ((*records_.Read("1-1"))->state(), v1::Job::RUNNING);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ((*records_.Read("1-1"))->state(), v1::Job::FAILED);
  EXPECT_EQ((*records_.Read("1-1"))->error(), "the process that ran the job has ended");
}

TEST_F(JobRecordsTest, ListsTheNewestFirstAndForgetsOldOnes) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(records_.Write(Running(absl::StrCat(9 - i, "-1"))));
    clock_.Advance(JobRecords::kKeptFor / 2);
  }
  ASSERT_OK_AND_ASSIGN(std::vector<v1::Job> jobs, records_.List());
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs.front().id(), "7-1");
  ASSERT_OK(records_.RemoveOld());
  ASSERT_OK_AND_ASSIGN(jobs, records_.List());
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs.back().id(), "8-1");
}

TEST_F(JobRecordsTest, KeepsABoundedNumber) {
  for (size_t i = 0; i < JobRecords::kKeptMax + 5; ++i) {
    ASSERT_OK(records_.Write(Running(absl::StrCat("1-", i))));
    clock_.Advance(absl::Seconds(1));
  }
  ASSERT_OK(records_.RemoveOld());
  ASSERT_OK_AND_ASSIGN(const std::vector<v1::Job> jobs, records_.List());
  EXPECT_EQ(jobs.size(), JobRecords::kKeptMax);
  EXPECT_EQ(jobs.back().id(), "1-5");
}

}  // namespace
}  // namespace entrepot::manifest
