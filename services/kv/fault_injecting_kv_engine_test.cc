#include "services/kv/fault_injecting_kv_engine.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/kv_conformance.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::Eq;
using testing::Optional;

class FaultInjectingKvEngineTest : public testing::Test {
 protected:
  absl::Status Put(const std::string& key, const std::string& value, Durability durability = Durability::kSynced) {
    ran_ = false;
    return kv_.Transact(
        {{key}},
        [&](KvTransaction& transaction) {
          ran_ = true;
          transaction.Put(key, value);
          return absl::OkStatus();
        },
        durability);
  }

  std::optional<std::string> Get(const std::string& key) { return kv_.Get(key).value(); }

  bool ran_ = false;
  MemoryKvEngine memory_;
  FaultInjectingKvEngine kv_{&memory_};
};

TEST_F(FaultInjectingKvEngineTest, FailsTheNthTransactionOnly) {
  kv_.InjectAt(2, Fault::kFailBefore);
  ASSERT_OK(Put("a", "1"));
  EXPECT_THAT(Put("a", "2"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(ran_);
  EXPECT_THAT(Get("a"), Optional(Eq("1")));
  ASSERT_OK(Put("a", "3"));
  EXPECT_EQ(kv_.transactions(), 3);
}

TEST_F(FaultInjectingKvEngineTest, AFailedCommitRunsTheFunctionAndWritesNothing) {
  for (Fault fault : {Fault::kFailCommit, Fault::kAbort}) {
    kv_.InjectAt(1, fault);
    EXPECT_THAT(Put("a", "1"),
                StatusIs(fault == Fault::kAbort ? absl::StatusCode::kAborted : absl::StatusCode::kUnavailable));
    EXPECT_TRUE(ran_);
    EXPECT_THAT(Get("a"), Eq(std::nullopt));
    EXPECT_FALSE(kv_.crashed());
  }
}

TEST_F(FaultInjectingKvEngineTest, ALostReplyHidesASuccess) {
  kv_.InjectAt(1, Fault::kLoseReply);
  EXPECT_THAT(Put("a", "1"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Get("a"), Optional(Eq("1")));
}

TEST_F(FaultInjectingKvEngineTest, TheFunctionsOwnErrorTakesPrecedence) {
  kv_.InjectAt(1, Fault::kFailCommit);
  EXPECT_THAT(kv_.Transact(
                  {}, [](KvTransaction&) { return absl::NotFoundError("none"); }, Durability::kSynced),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(FaultInjectingKvEngineTest, ACrashFailsEveryCallUntilARestart) {
  for (Fault fault : {Fault::kCrashBeforeCommit, Fault::kCrashAfterCommit}) {
    ASSERT_OK(Put("a", "old"));
    kv_.InjectAt(1, fault);
    EXPECT_THAT(Put("a", "new"), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_TRUE(kv_.crashed());
    EXPECT_THAT(kv_.Get("a"), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(kv_.MultiGet({}), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(kv_.Scan({}), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(Put("a", "newer"), StatusIs(absl::StatusCode::kUnavailable));
    kv_.Restart();
    EXPECT_THAT(Get("a"), Optional(Eq(fault == Fault::kCrashAfterCommit ? "new" : "old")));
  }
}

TEST_F(FaultInjectingKvEngineTest, APowerCutUndoesCommitsAfterTheLastSync) {
  ASSERT_OK(Put("a", "1", Durability::kBuffered));
  ASSERT_OK(Put("b", "1", Durability::kSynced));
  ASSERT_OK(Put("a", "2", Durability::kBuffered));
  ASSERT_OK(Put("a", "3", Durability::kBuffered));
  ASSERT_OK(Put("c", "1", Durability::kBuffered));
  ASSERT_OK(kv_.Transact(
      {}, [](KvTransaction&) { return absl::OkStatus(); }, Durability::kSynced));
  kv_.LosePower();
  EXPECT_THAT(Get("a"), Optional(Eq("1"))) << "the later synced commit covers it";
  EXPECT_THAT(Get("b"), Optional(Eq("1")));
  EXPECT_THAT(Get("c"), Eq(std::nullopt));
  kv_.LosePower();
  EXPECT_THAT(Get("a"), Optional(Eq("1"))) << "nothing more is lost";
}

TEST_F(FaultInjectingKvEngineTest, ARestartUndoesNothing) {
  ASSERT_OK(Put("a", "1", Durability::kBuffered));
  kv_.InjectAt(1, Fault::kCrashBeforeCommit);
  EXPECT_THAT(Put("b", "1"), StatusIs(absl::StatusCode::kUnavailable));
  kv_.Restart();
  EXPECT_THAT(Get("a"), Optional(Eq("1")));
}

// Without faults it passes the conformance suite.
struct Parts {
  explicit Parts(const MemoryKvEngine::Options& options) : memory(options) {}
  MemoryKvEngine memory;
};

class OwningFaultInjectingKvEngine : private Parts, public FaultInjectingKvEngine {
 public:
  explicit OwningFaultInjectingKvEngine(const MemoryKvEngine::Options& options)
      : Parts(options), FaultInjectingKvEngine(&memory) {}
};

std::unique_ptr<KvEngine> Make(const RetryPolicy& retry, absl::Duration lock_timeout) {
  MemoryKvEngine::Options options;
  options.lock_timeout = lock_timeout;
  options.retry = retry;
  return std::make_unique<OwningFaultInjectingKvEngine>(options);
}

INSTANTIATE_TEST_SUITE_P(FaultInjecting, KvConformance, testing::Values(KvBackend{"fault_injecting", Make}));

}  // namespace
}  // namespace entrepot::kv
