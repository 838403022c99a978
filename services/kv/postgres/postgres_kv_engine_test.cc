#include "services/kv/postgres/postgres_kv_engine.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/metric_family.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/kv_conformance.h"
#include "services/kv/testing/postgres_server.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

PostgresKvEngine::Options OptionsFor(const PostgresAddress& address) {
  PostgresKvEngine::Options options;
  options.address = address;
  return options;
}

std::unique_ptr<PostgresKvEngine> Open(const PostgresKvEngine::Options& options) {
  absl::StatusOr<std::unique_ptr<PostgresKvEngine>> engine = PostgresKvEngine::Open(options);
  EXPECT_OK(engine);
  return engine.ok() ? *std::move(engine) : nullptr;
}

std::unique_ptr<KvEngine> MakeEmpty(const RetryPolicy& retry, absl::Duration lock_timeout) {
  PostgresServer& server = PostgresServer::Shared();
  // A test has two engines at most.
  static auto& databases = *new std::vector<std::string>();
  if (databases.size() == 2) {
    server.Recycle(databases.front());
    databases.erase(databases.begin());
  }
  databases.push_back(server.NewDatabase());
  PostgresKvEngine::Options options = OptionsFor(server.Address(databases.back()));
  options.retry = retry;
  options.lock_timeout = lock_timeout;
  return Open(options);
}

INSTANTIATE_TEST_SUITE_P(Postgres, KvConformance, testing::Values(KvBackend{"Postgres", MakeEmpty}));

absl::Status Put(KvEngine& kv, const std::string& key, const std::string& value) {
  return kv.Transact({{key}}, [&](KvTransaction& transaction) {
    transaction.Put(key, value);
    return absl::OkStatus();
  });
}

class PostgresKvEngineTest : public testing::Test {
 protected:
  ~PostgresKvEngineTest() override { server_.Recycle(database_); }

  PostgresKvEngine::Options Options() { return OptionsFor(server_.Address(database_)); }

  PostgresServer& server_ = PostgresServer::Shared();
  const std::string database_ = server_.NewDatabase();
};

TEST_F(PostgresKvEngineTest, TwoEnginesExcludeEachOther) {
  const std::unique_ptr<PostgresKvEngine> engines[] = {Open(Options()), Open(Options())};
  constexpr int kThreads = 4, kRounds = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        EXPECT_OK(engines[i % 2]->Transact(
            {{"n"}},
            [](KvTransaction& transaction) -> absl::Status {
              const absl::StatusOr<std::optional<std::string>> value = transaction.Get("n");
              if (!value.ok()) return value.status();
              transaction.Put("n", absl::StrCat(value->has_value() ? std::stoi(**value) + 1 : 1));
              return absl::OkStatus();
            },
            Durability::kBuffered));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(engines[0]->Get("n"), IsOkAndHolds(Optional(Eq(absl::StrCat(kThreads * kRounds)))));
}

TEST_F(PostgresKvEngineTest, AnOldTransactionIsNotCommitted) {
  PostgresKvEngine::Options options = Options();
  options.age_max = absl::Milliseconds(200);
  const std::unique_ptr<PostgresKvEngine> kv = Open(options);
  const absl::Status old = kv->Transact(
      {{"k"}},
      [](KvTransaction& transaction) {
        transaction.Put("k", "v");
        // As a process that was frozen.
        absl::SleepFor(absl::Milliseconds(400));
        return absl::OkStatus();
      },
      Durability::kSynced);
  EXPECT_THAT(old, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(old.message(), HasSubstr("has taken too long"));
  EXPECT_THAT(kv->Get("k"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(PostgresKvEngineTest, ALockOfAnotherEngineTimesOut) {
  const std::unique_ptr<PostgresKvEngine> holder = Open(Options());
  PostgresKvEngine::Options impatient = Options();
  impatient.lock_timeout = absl::Milliseconds(20);
  impatient.retry.attempts_max = 2;
  int retries = 0;
  impatient.retry.on_retry = [&](RetryReason reason) {
    EXPECT_EQ(reason, RetryReason::kLockTimeout);
    ++retries;
  };
  const std::unique_ptr<PostgresKvEngine> other = Open(impatient);
  const auto nothing = [](KvTransaction&) { return absl::OkStatus(); };
  ASSERT_OK(holder->Transact(
      {{"a", LockMode::kShared}, {"b"}},
      [&](KvTransaction&) {
        EXPECT_THAT(other->Transact({{"a"}}, nothing, Durability::kSynced), StatusIs(absl::StatusCode::kAborted));
        EXPECT_OK(other->Transact({{"a", LockMode::kShared}}, nothing, Durability::kSynced));
        EXPECT_THAT(other->Transact({{"b", LockMode::kShared}}, nothing, Durability::kSynced),
                    StatusIs(absl::StatusCode::kAborted));
        EXPECT_OK(other->Transact({{"c"}}, nothing, Durability::kSynced));
        return absl::OkStatus();
      },
      Durability::kSynced));
  EXPECT_EQ(retries, 2);
}

TEST_F(PostgresKvEngineTest, WaitsForAConnectionAndNamesTheBound) {
  PostgresKvEngine::Options options = Options();
  options.connections_max = 4;
  options.connection_wait = absl::Milliseconds(100);
  const std::unique_ptr<PostgresKvEngine> engine = Open(options);
  absl::Notification full, tried;
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < options.connections_max; ++i) {
    threads.emplace_back([&, i] {
      EXPECT_OK(engine->Transact(
          {{absl::StrCat(i)}},
          [&](KvTransaction&) {
            if (++inside == options.connections_max) full.Notify();
            tried.WaitForNotification();
            return absl::OkStatus();
          },
          Durability::kSynced));
    });
  }
  full.WaitForNotification();
  const absl::Status refused = engine->Get("a").status();
  EXPECT_EQ(GetOciErrorCode(refused), OciErrorCode::kUnavailable);
  EXPECT_THAT(GetOciErrorDetail(refused), HasSubstr("records.postgres.connections_max")) << "for the client";
  EXPECT_OK(engine->CheckWritable()) << "a busy process is not one that cannot write";
  tried.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_OK(engine->Get("a"));
}

TEST_F(PostgresKvEngineTest, LargeTransactionsTakeTurnsAndNameTheBound) {
  PostgresKvEngine::Options options = Options();
  options.locks_max = 300;
  options.connection_wait = absl::Milliseconds(100);
  const std::unique_ptr<PostgresKvEngine> engine = Open(options);
  const auto locks = [](const std::string& prefix, int count) {
    std::vector<Lock> made;
    for (int i = 0; i < count; ++i) made.push_back({absl::StrCat(prefix, i), LockMode::kShared});
    return made;
  };
  const auto nothing = [](KvTransaction&) { return absl::OkStatus(); };
  const auto refused = [&](int count) {
    const absl::Status status = engine->Transact(locks("b", count), nothing, Durability::kSynced);
    EXPECT_EQ(GetOciErrorCode(status), OciErrorCode::kUnavailable);
    EXPECT_THAT(std::string(status.message()), HasSubstr("hold 300 locks in PostgreSQL at most"));
  };
  const auto held = [&](const std::string& count) {
    EXPECT_EQ(server_.Execute(absl::StrCat("SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE "
                                           "locktype = 'advisory' AND datname = '",
                                           database_, "'")),
              count);
  };
  EXPECT_OK(engine->Transact(
      locks("a", 150),
      [&](KvTransaction&) {
        refused(151);
        EXPECT_OK(engine->Transact(locks("b", 150), nothing, Durability::kSynced));
        EXPECT_OK(engine->Transact({{"c"}}, nothing, Durability::kSynced));
        return absl::OkStatus();
      },
      Durability::kSynced));
  EXPECT_OK(engine->Transact(
      locks("a", 1000),
      [&](KvTransaction&) {
        held("1001");  // With that of the commit's id.
        refused(150);
        EXPECT_OK(engine->Transact({{"c"}}, nothing, Durability::kSynced));
        return absl::OkStatus();
      },
      Durability::kSynced));
}

TEST_F(PostgresKvEngineTest, TheBoundOfLocksIsAShareOfTheServers) {
  const std::unique_ptr<PostgresKvEngine> engine = Open(Options());
  const int64_t locks = std::stoll(server_.Execute(
      "SELECT current_setting('max_locks_per_transaction')::int8 * current_setting('max_connections')::int8"));
  const std::vector<prometheus::MetricFamily> families = engine->metrics()->Collect();
  const auto bound = std::find_if(families.begin(), families.end(), [](const prometheus::MetricFamily& family) {
    return family.name == "entrepot_postgres_locks_max";
  });
  ASSERT_NE(bound, families.end());
  const int64_t share = locks / 8;
  EXPECT_EQ(bound->metric[0].gauge.value, static_cast<double>(share));
}

TEST_F(PostgresKvEngineTest, ASessionThatEndsBeforeTheCommitIsARetry) {
  std::vector<RetryReason> reasons;
  PostgresKvEngine::Options options = Options();
  options.retry.on_retry = [&](RetryReason reason) { reasons.push_back(reason); };
  const std::unique_ptr<PostgresKvEngine> engine = Open(options);
  int runs = 0;
  ASSERT_OK(engine->Transact(
      {{"a"}},
      [&](KvTransaction& transaction) {
        if (++runs == 1) {
          server_.Execute(absl::StrCat(
              "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '", database_, "'"));
        }
        transaction.Put("a", absl::StrCat(runs));
        return transaction.Get("b").status();
      },
      Durability::kSynced));
  EXPECT_EQ(runs, 2);
  EXPECT_THAT(reasons, testing::ElementsAre(RetryReason::kConnectionLost));
  EXPECT_THAT(engine->Get("a"), IsOkAndHolds(Optional(Eq("2"))));
}

TEST_F(PostgresKvEngineTest, ReadsGoOnAfterAllSessionsEnded) {
  const std::unique_ptr<PostgresKvEngine> engine = Open(Options());
  ASSERT_OK(Put(*engine, "a", "1"));
  server_.Execute(
      absl::StrCat("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '", database_, "'"));
  EXPECT_THAT(engine->Get("a"), IsOkAndHolds(Optional(Eq("1"))));
  EXPECT_OK(engine->CheckWritable());
}

TEST_F(PostgresKvEngineTest, RefusesKeysThatTheIndexCannotHold) {
  const std::unique_ptr<PostgresKvEngine> engine = Open(Options());
  EXPECT_OK(Put(*engine, std::string(2600, 'k'), "1"));
  EXPECT_THAT(Put(*engine, std::string(2601, 'k'), "1"), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(PostgresKvEngineTest, ReadsOutsideOfTransactionsNeverRunOnTheCallersThreadFromMemory) {
  const std::unique_ptr<PostgresKvEngine> engine = Open(Options());
  EXPECT_TRUE(IsNotInMemory(engine->in_memory().Get("a").status()));
}

TEST_F(PostgresKvEngineTest, FindsKeysByTheIndexAlthoughThePlansWereMadeWhileTheTableWasEmpty) {
  server_.Execute("SELECT pg_stat_reset()", database_);
  std::unique_ptr<PostgresKvEngine> engine = Open(Options());
  const std::vector<std::string> keys = {"k1", "k2"};
  const auto use = [&] {
    EXPECT_OK(engine->MultiGet(keys));
    EXPECT_OK(engine->Scan({.prefix = "k", .limit = 10}));
    EXPECT_OK(engine->Scan({.prefix = "k", .limit = 10, .bytes_max = 10}));
    EXPECT_OK(engine->Scan({.limit = 10}));
    EXPECT_OK(engine->Transact(
        {{"k1"}},
        [](KvTransaction& transaction) {
          transaction.Put("k1", "1");
          transaction.Delete("k3");
          return absl::OkStatus();
        },
        Durability::kBuffered));
  };
  use();
  server_.Execute(
      "INSERT INTO entrepot.records SELECT convert_to('k' || i, 'UTF8'), '' FROM "
      "generate_series(10, 20000) AS i",
      database_);
  use();
  engine.reset();  // A session reports what it did at its end.
  const auto scans = [&](const std::string& kind) {
    return server_.Execute(absl::StrCat("SELECT ", kind, " FROM pg_stat_user_tables WHERE relname = 'records'"),
                           database_);
  };
  EXPECT_TRUE(Eventually([&] { return scans("idx_scan >= 10") == "t"; }));
  EXPECT_EQ(scans("seq_scan"), "0");
}

TEST_F(PostgresKvEngineTest, RefusesADatabaseWithoutTables) {
  PostgresKvEngine::Options options = OptionsFor(server_.Address("postgres"));
  const absl::Status status = PostgresKvEngine::Open(options).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("entrepotctl schema make"));
}

}  // namespace
}  // namespace entrepot::kv
