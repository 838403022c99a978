#include "services/kv/postgres/postgres_pool.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/stopwatch.h"
#include "services/kv/postgres/postgres_status.h"
#include "services/kv/testing/postgres_server.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::HasSubstr;

class PostgresPoolTest : public testing::Test {
 protected:
  std::unique_ptr<PostgresPool> Make(int connections_max, absl::Duration wait) {
    return std::make_unique<PostgresPool>(
        PostgresPool::Options{connections_max, wait,
                              [this]() -> absl::StatusOr<std::unique_ptr<PostgresConnection>> {
                                ++attempts_;
                                if (const absl::StatusCode code = failure_; code != absl::StatusCode::kOk) {
                                  return absl::Status(code, "made by the test");
                                }
                                return PostgresConnection::Connect(PostgresServer::Shared().Address("postgres"),
                                                                   absl::Seconds(5));
                              }},
        &metrics_);
  }

  std::atomic<absl::StatusCode> failure_ = absl::StatusCode::kOk;
  std::atomic<int> attempts_ = 0;
  PostgresMetrics metrics_;
};

TEST_F(PostgresPoolTest, UsesConnectionsAgain) {
  const std::unique_ptr<PostgresPool> pool = Make(4, absl::Seconds(5));
  for (int i = 0; i < 3; ++i) EXPECT_OK(pool->Acquire());
  EXPECT_EQ(attempts_, 1);
  EXPECT_EQ(metrics_.connections_open, 1);
  EXPECT_EQ(metrics_.connections_busy, 0);
}

TEST_F(PostgresPoolTest, WaitsForOneThatIsGivenBack) {
  const std::unique_ptr<PostgresPool> pool = Make(1, absl::Seconds(30));
  std::optional<absl::StatusOr<PostgresPool::Lease>> first(pool->Acquire());
  ASSERT_OK(*first);
  std::thread waiter([&] { EXPECT_OK(pool->Acquire()); });
  EXPECT_TRUE(Eventually([&] { return metrics_.waiting == 1; }));
  first.reset();
  waiter.join();
  EXPECT_EQ(attempts_, 1);
}

TEST_F(PostgresPoolTest, NamesTheBoundIfNoneIsGivenBackInTime) {
  const std::unique_ptr<PostgresPool> pool = Make(1, absl::Milliseconds(20));
  const absl::StatusOr<PostgresPool::Lease> first = pool->Acquire();
  ASSERT_OK(first);
  const absl::Status refused = pool->Acquire().status();
  EXPECT_EQ(GetOciErrorCode(refused), OciErrorCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("all 1 connections"));
  EXPECT_EQ(metrics_.refused, 1);
}

TEST_F(PostgresPoolTest, ClosesWhatIsInATransactionOrRenewed) {
  const std::unique_ptr<PostgresPool> pool = Make(4, absl::Seconds(5));
  {
    ASSERT_OK_AND_ASSIGN(const PostgresPool::Lease lease, pool->Acquire());
    ASSERT_OK(lease->Run({{{.sql = "BEGIN"}}}).status());
  }
  EXPECT_EQ(metrics_.connections_open, 0);
  {
    ASSERT_OK_AND_ASSIGN(const PostgresPool::Lease in_use, pool->Acquire());
    EXPECT_OK(pool->Acquire());
    EXPECT_EQ(metrics_.connections_open, 2);
    pool->Renew(in_use);
    EXPECT_EQ(metrics_.connections_open, 1) << "the idle one is closed";
    EXPECT_OK(pool->Acquire());
    pool->Renew(in_use);
    EXPECT_EQ(metrics_.connections_open, 2) << "a new one stays";
  }
  EXPECT_EQ(metrics_.connections_open, 1) << "and the old one is closed when it comes back";
  EXPECT_OK(pool->Acquire());
}

TEST_F(PostgresPoolTest, WaitsOutAShortOutageAndFailsAtOnceInALongOne) {
  const std::unique_ptr<PostgresPool> pool = Make(4, absl::Seconds(2));
  failure_ = absl::StatusCode::kUnavailable;
  std::thread waiter([&] { EXPECT_OK(pool->Acquire()); });
  EXPECT_TRUE(Eventually([&] { return attempts_ >= 2; }));
  failure_ = absl::StatusCode::kOk;
  waiter.join();

  {
    ASSERT_OK_AND_ASSIGN(const PostgresPool::Lease last, pool->Acquire());
    pool->Renew(last);
  }
  failure_ = absl::StatusCode::kUnavailable;
  EXPECT_THAT(pool->Acquire(), StatusIs(absl::StatusCode::kUnavailable));
  const Stopwatch watch;
  EXPECT_THAT(pool->Acquire(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_LT(watch.Elapsed(), absl::Seconds(1));
  failure_ = absl::StatusCode::kOk;
  EXPECT_TRUE(Eventually([&] { return pool->Acquire().ok(); }));
}

TEST_F(PostgresPoolTest, ReturnsOtherErrorsAtOnce) {
  const std::unique_ptr<PostgresPool> pool = Make(4, absl::Seconds(60));
  failure_ = absl::StatusCode::kFailedPrecondition;
  EXPECT_THAT(pool->Acquire(), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace entrepot::kv
