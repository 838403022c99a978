// What becomes of transactions while servers are killed, promoted, and stand still.
#include <signal.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/metric_family.h"
#include "services/core/time/eventually.h"
#include "services/kv/postgres/postgres_kv_engine.h"
#include "services/kv/testing/postgres_server.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::Eq;
using testing::Optional;

std::unique_ptr<PostgresKvEngine> Open(const PostgresAddress& address) {
  PostgresKvEngine::Options options;
  options.address = address;
  // A server may take long to come back on a busy machine.
  options.search_timeout = absl::Minutes(5);
  options.age_max = absl::Minutes(6);
  return PostgresKvEngine::Open(options).value();
}

// Transactions that would show a lost or doubled one.
class Load {
 public:
  // Each writer counts in a record of its own, and all in a common one.
  explicit Load(KvEngine* engine) {
    for (size_t i = 0; i < kWriters; ++i) {
      threads_.emplace_back([this, engine, i] {
        while (!stop_) Count(*engine, i);
      });
    }
  }
  ~Load() { Stop(); }

  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // Waits until every writer has committed that many more.
  testing::AssertionResult AwaitMore(int count) {
    std::array<int, kWriters> before;
    for (size_t i = 0; i < kWriters; ++i) before[i] = done_[i];
    for (size_t i = 0; i < kWriters; ++i) {
      if (!Eventually([&] { return done_[i] >= before[i] + count; })) {
        return testing::AssertionFailure() << "writer " << i << " stands still";
      }
    }
    return testing::AssertionSuccess();
  }

  // Nothing that was acknowledged is lost, and nothing was done twice. Only unknown outcomes leave room.
  void Check(KvEngine& engine) {
    int all_done = 0, all_unknown = 0;
    for (size_t i = 0; i < kWriters; ++i) {
      const int counted = Counted(engine, KeyOf(i));
      EXPECT_GE(counted, done_[i]) << "an acknowledged transaction of writer " << i << " is lost";
      EXPECT_LE(counted, done_[i] + unknown_[i]) << "a transaction of writer " << i << " was done twice";
      all_done += done_[i];
      all_unknown += unknown_[i];
    }
    EXPECT_GE(Counted(engine, "all"), all_done);
    EXPECT_LE(Counted(engine, "all"), all_done + all_unknown);
    EXPECT_GT(all_done, 0);
  }

 private:
  static constexpr size_t kWriters = 4;

  static std::string KeyOf(size_t writer) { return absl::StrCat("writer/", writer); }

  static int Counted(KvEngine& engine, const std::string& key) {
    const absl::StatusOr<std::optional<std::string>> value = engine.Get(key);
    EXPECT_OK(value);
    return value.ok() && value->has_value() ? std::stoi(**value) : 0;
  }

  void Count(KvEngine& engine, size_t writer) {
    const std::string own = KeyOf(writer);
    const absl::Status status = engine.Transact({{own}, {"all"}}, [&](KvTransaction& transaction) -> absl::Status {
      for (const std::string& key : {own, std::string("all")}) {
        ASSIGN_OR_RETURN(const std::optional<std::string> value, transaction.Get(key));
        transaction.Put(key, absl::StrCat(value.has_value() ? std::stoi(*value) + 1 : 1));
      }
      return absl::OkStatus();
    });
    if (status.ok()) {
      ++done_[writer];
    } else {
      EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsAborted(status)) << status;
      ++unknown_[writer];
    }
  }

  std::atomic<bool> stop_ = false;
  std::array<std::atomic<int>, kWriters> done_ = {};
  std::array<std::atomic<int>, kWriters> unknown_ = {};
  std::vector<std::thread> threads_;
};

TEST(PostgresFailoverTest, AServerThatIsKilledAndComesBackLosesNothing) {
  PostgresServer server;
  const std::unique_ptr<PostgresKvEngine> engine = Open(server.Address(server.NewDatabase()));
  Load load(engine.get());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(load.AwaitMore(3));
    server.Kill();
    server.Start();
  }
  ASSERT_TRUE(load.AwaitMore(5));
  load.Stop();
  load.Check(*engine);
}

TEST(PostgresFailoverTest, ASynchronousStandbyThatIsPromotedHasAllThatWasAcknowledged) {
  PostgresServer primary;
  const std::string database = primary.NewDatabase();
  PostgresServer standby(primary, {});
  primary.Execute("ALTER SYSTEM SET synchronous_standby_names = '*'");
  primary.Execute("SELECT pg_reload_conf()");
  ASSERT_TRUE(Eventually([&] { return primary.Execute("SELECT sync_state FROM pg_stat_replication") == "sync"; }));

  PostgresAddress both = primary.Address(database);
  both.servers.push_back(standby.directory());
  const std::unique_ptr<PostgresKvEngine> engine = Open(both);
  Load load(engine.get());
  ASSERT_TRUE(load.AwaitMore(5));
  primary.Kill();
  standby.Promote();
  ASSERT_TRUE(load.AwaitMore(5));
  load.Stop();
  load.Check(*Open(standby.Address(database)));
}

class PostgresLostAnswerTest : public testing::Test {
 protected:
  // Commits wait for a standby that does not exist.
  void HoldCommits() {
    SetStandbyNames("'nobody'");
    // The server's processes read the setting one after the other: commits wait only after the last one has.
    EXPECT_TRUE(Eventually([&] { return ACommitWaits(); }));
  }
  void LetCommitsGo() { SetStandbyNames("''"); }

  void SetStandbyNames(const std::string& names) {
    server_.Execute("ALTER SYSTEM SET synchronous_standby_names = " + names);
    server_.Execute("SELECT pg_reload_conf()");
  }

  // Tries it with a commit in another database.
  bool ACommitWaits() {
    std::atomic<bool> ended = false;
    std::thread commit([&] {
      server_.Execute("DROP TABLE IF EXISTS probe; CREATE TABLE probe ()");
      ended = true;
    });
    std::string process;
    const bool known = Eventually([&] { return !(process = WaitingCommit("postgres")).empty() || ended; });
    EXPECT_TRUE(known);
    if (!known) LetCommitsGo();
    if (!process.empty()) server_.Execute(absl::StrCat("SELECT pg_cancel_backend(", process, ")"));
    commit.join();
    return !process.empty();
  }

  // The process of a session whose commit waits; empty if there is none.
  std::string WaitingCommit() { return WaitingCommit(database_); }
  std::string WaitingCommit(const std::string& database) {
    return server_.Execute(
        absl::StrCat("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = '", database, "'"));
  }

  double CommitsFound(const std::string& outcome) {
    for (const prometheus::MetricFamily& family : engine_->metrics()->Collect()) {
      for (const prometheus::ClientMetric& metric : family.metric) {
        if (!metric.label.empty() && metric.label[0].value == outcome) return metric.counter.value;
      }
    }
    return -1;
  }

  // A commit waits, its session ends by `end`, and the standby comes.
  void EndWhileItWaits(const std::string& end) {
    HoldCommits();
    std::atomic<bool> returned = false;
    int runs = 0;
    std::thread writer([&] {
      EXPECT_OK(engine_->Transact(
          {{"a", LockMode::kShared}},
          [&](KvTransaction& transaction) {
            transaction.Put("b", absl::StrCat(++runs));
            return absl::OkStatus();
          },
          Durability::kSynced));
      returned = true;
    });
    std::string first;
    EXPECT_TRUE(Eventually([&] { return !(first = WaitingCommit()).empty(); }));
    server_.Execute(absl::StrCat("SELECT ", end, "(", first, ")"));
    // It is committed, but a failover would lose it: the engine waits until a later commit is replicated.
    EXPECT_TRUE(Eventually([&] {
      const std::string second = WaitingCommit();
      return !second.empty() && (end == "pg_cancel_backend" || second != first);
    }));
    EXPECT_FALSE(returned);
    LetCommitsGo();
    writer.join();
    EXPECT_EQ(runs, 1);
    EXPECT_THAT(engine_->Get("b"), IsOkAndHolds(Optional(Eq("1"))));
    EXPECT_EQ(CommitsFound("done"), 1);
  }

  PostgresServer server_;
  const std::string database_ = server_.NewDatabase();
  const std::unique_ptr<PostgresKvEngine> engine_ = Open(server_.Address(database_));
};

TEST_F(PostgresLostAnswerTest, ACommitWhoseSessionIsTerminatedIsFoundDone) { EndWhileItWaits("pg_terminate_backend"); }

TEST_F(PostgresLostAnswerTest, ACommitWhoseWaitIsCancelledIsFoundDone) { EndWhileItWaits("pg_cancel_backend"); }

TEST_F(PostgresLostAnswerTest, ACommitOfAServerThatCrashedIsRunAgain) {
  int runs = 0;
  absl::Notification stopped;
  std::thread writer([&] {
    EXPECT_OK(engine_->Transact(
        {{"a"}},
        [&](KvTransaction& transaction) {
          transaction.Put("a", absl::StrCat(++runs));
          if (runs == 1) {
            // What is sent from now on is not executed any more.
            server_.Signal(SIGSTOP);
            stopped.Notify();
          }
          return absl::OkStatus();
        },
        Durability::kSynced));
  });
  stopped.WaitForNotification();
  server_.Kill();
  server_.Start();
  writer.join();
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(engine_->Get("a"), IsOkAndHolds(Optional(Eq("2"))));
}

TEST_F(PostgresLostAnswerTest, AFunctionThatStandsStillLosesItsLocksAndRunsAgain) {
  const std::unique_ptr<PostgresKvEngine> other = Open(server_.Address(database_));
  int runs = 0;
  ASSERT_OK(engine_->Transact(
      {{"a"}},
      [&](KvTransaction& transaction) {
        if (++runs == 1) {
          EXPECT_TRUE(Eventually([&] {
            return other
                ->Transact(
                    {{"a"}},
                    [](KvTransaction& late) {
                      late.Put("a", "other");
                      return absl::OkStatus();
                    },
                    Durability::kSynced)
                .ok();
          }));
        }
        const absl::StatusOr<std::optional<std::string>> value = transaction.Get("a");
        transaction.Put("a", absl::StrCat("after ", value.value().value_or("nothing")));
        return absl::OkStatus();
      },
      Durability::kSynced));
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(engine_->Get("a"), IsOkAndHolds(Optional(Eq("after other"))));
}

}  // namespace
}  // namespace entrepot::kv
