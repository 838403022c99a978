#include "services/kv/testing/kv_conformance.h"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

absl::Status Put(KvEngine& kv, const std::string& key, const std::string& value) {
  return kv.Transact({{key}}, [&](KvTransaction& transaction) {
    transaction.Put(key, value);
    return absl::OkStatus();
  });
}

absl::Status Delete(KvEngine& kv, const std::string& key) {
  return kv.Transact({{key}}, [&](KvTransaction& transaction) {
    transaction.Delete(key);
    return absl::OkStatus();
  });
}

void Fill(KvEngine& kv, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) ASSERT_OK(Put(kv, key, absl::StrCat("value of ", key)));
}

std::vector<std::string> Keys(const absl::StatusOr<std::vector<KeyValue>>& entries) {
  std::vector<std::string> keys;
  EXPECT_OK(entries);
  if (!entries.ok()) return keys;
  for (const KeyValue& entry : *entries) keys.push_back(entry.key);
  return keys;
}

// Adds one to the number at `key`.
absl::Status Increment(KvTransaction& transaction, const std::string& key) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, transaction.Get(key));
  transaction.Put(key, absl::StrCat(value ? std::stoi(*value) + 1 : 1));
  return absl::OkStatus();
}

const KvEngine::Function kNothing = [](KvTransaction&) { return absl::OkStatus(); };

TEST_P(KvConformance, AMissingKeyIsNotAnError) {
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(kv().MultiGet({}), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(kv().Scan({}), IsOkAndHolds(IsEmpty()));
  EXPECT_OK(Delete(kv(), "a"));
}

TEST_P(KvConformance, PutReplacesAndDeleteRemoves) {
  ASSERT_OK(Put(kv(), "a", "1"));
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq("1"))));
  ASSERT_OK(Put(kv(), "a", "2"));
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq("2"))));
  ASSERT_OK(Delete(kv(), "a"));
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_P(KvConformance, ReadsFromMemoryGiveTheLatestValueOrNone) {
  ASSERT_OK(Put(kv(), "a", "1"));
  ASSERT_OK(Put(kv(), "a", "2"));
  const auto value = kv().in_memory().Get("a");
  EXPECT_TRUE(IsNotInMemory(value.status()) || value.value() == "2") << value.status();
  const std::string keys[] = {"a", "b"};
  const auto values = kv().in_memory().MultiGet(keys);
  EXPECT_TRUE(IsNotInMemory(values.status()) || values.value() == (std::vector<std::optional<std::string>>{"2", {}}))
      << values.status();
  EXPECT_EQ(&kv().reader(ReadTier::kDisk), &kv());
  EXPECT_EQ(&kv().reader(ReadTier::kMemory), &kv().in_memory());
}

TEST_P(KvConformance, BufferedCommitsAreVisibleAtOnce) {
  auto put = [](KvTransaction& transaction) {
    transaction.Put("a", "1");
    return absl::OkStatus();
  };
  ASSERT_OK(kv().Transact({}, put, Durability::kBuffered));
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq("1"))));
}

TEST_P(KvConformance, KeysAndValuesMayContainAnyBytes) {
  const std::string all_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
  }();
  const std::vector<std::string> keys = {
      std::string("\0", 1), std::string("\0\0", 2), std::string("a\0b", 3), "a", "\xff", "\xff\xff", all_bytes};
  for (const std::string& key : keys) ASSERT_OK(Put(kv(), key, all_bytes + key));
  for (const std::string& key : keys) EXPECT_THAT(kv().Get(key), IsOkAndHolds(Optional(Eq(all_bytes + key))));
  EXPECT_THAT(Keys(kv().Scan({.limit = 100})), ElementsAre(std::string("\0", 1), std::string("\0\0", 2), all_bytes, "a",
                                                           std::string("a\0b", 3), "\xff", "\xff\xff"));
}

TEST_P(KvConformance, AnEmptyValueIsNotAMissingValue) {
  ASSERT_OK(Put(kv(), "a", ""));
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq(""))));
  EXPECT_THAT(kv().MultiGet(std::vector<std::string>{"a", "b"}),
              IsOkAndHolds(ElementsAre(Optional(Eq("")), Eq(std::nullopt))));
  EXPECT_THAT(kv().Scan({}), IsOkAndHolds(ElementsAre(KeyValue{"a", ""})));
}

TEST_P(KvConformance, ValuesMayBeLarge) {
  for (size_t size : {size_t{4095}, size_t{4096}, size_t{65536}, size_t{4} << 20}) {
    const std::string value(size, 'x');
    ASSERT_OK(Put(kv(), "a", value));
    EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq(value)))) << size;
  }
}

TEST_P(KvConformance, MultiGetReturnsValuesInTheOrderOfItsKeys) {
  Fill(kv(), {"a", "c"});
  EXPECT_THAT(kv().MultiGet(std::vector<std::string>{"c", "b", "a", "c"}),
              IsOkAndHolds(ElementsAre(Optional(Eq("value of c")), Eq(std::nullopt), Optional(Eq("value of a")),
                                       Optional(Eq("value of c")))));
}

TEST_P(KvConformance, ScanFindsThePrefixAndNothingElse) {
  Fill(kv(), {"a", "p", "p/", "p/1", "p/2", "p0", "q"});
  EXPECT_THAT(Keys(kv().Scan({.prefix = "p/"})), ElementsAre("p/", "p/1", "p/2"));
  EXPECT_THAT(Keys(kv().Scan({.prefix = "p"})), ElementsAre("p", "p/", "p/1", "p/2", "p0"));
  EXPECT_THAT(Keys(kv().Scan({.prefix = "x"})), IsEmpty());
  EXPECT_THAT(Keys(kv().Scan({})), SizeIs(7));
}

TEST_P(KvConformance, ScanReturnsValues) {
  Fill(kv(), {"p1", "p2"});
  EXPECT_THAT(kv().Scan({.prefix = "p"}),
              IsOkAndHolds(ElementsAre(KeyValue{"p1", "value of p1"}, KeyValue{"p2", "value of p2"})));
}

TEST_P(KvConformance, ScanStartsBehindAKeyThatNeedNotExist) {
  Fill(kv(), {"o", "p/1", "p/3", "q"});
  auto scan_after = [&](const std::string& start_after) {
    return Keys(kv().Scan({.prefix = "p/", .start_after = start_after}));
  };
  EXPECT_THAT(scan_after("p/1"), ElementsAre("p/3"));
  EXPECT_THAT(scan_after(std::string("p/1\0", 4)), ElementsAre("p/3"));
  EXPECT_THAT(scan_after("p/0"), ElementsAre("p/1", "p/3"));
  EXPECT_THAT(scan_after("p/2"), ElementsAre("p/3"));
  EXPECT_THAT(scan_after("p/3"), IsEmpty());
  EXPECT_THAT(scan_after("a"), ElementsAre("p/1", "p/3"));
  EXPECT_THAT(scan_after("z"), IsEmpty());
}

TEST_P(KvConformance, ScanStopsAtItsLimitAndContinuesBehindIt) {
  Fill(kv(), {"p1", "p2", "p3"});
  EXPECT_THAT(Keys(kv().Scan({.prefix = "p", .limit = 0})), IsEmpty());
  EXPECT_THAT(Keys(kv().Scan({.prefix = "p", .limit = 2})), ElementsAre("p1", "p2"));
  EXPECT_THAT(Keys(kv().Scan({.prefix = "p", .start_after = "p2", .limit = 2})), ElementsAre("p3"));
  EXPECT_THAT(Keys(kv().Scan({.prefix = "p", .limit = 3})), ElementsAre("p1", "p2", "p3"));
}

TEST_P(KvConformance, ScansPrefixesOfHighestBytes) {
  Fill(kv(), {"a", "a\xff", "a\xff\x01", "a\xff\xff", "b", "\xff", "\xff\xfe", "\xff\xff", "\xff\xff\x01"});
  EXPECT_THAT(Keys(kv().Scan({.prefix = "a\xff"})), ElementsAre("a\xff", "a\xff\x01", "a\xff\xff"));
  EXPECT_THAT(Keys(kv().Scan({.prefix = "\xff"})), ElementsAre("\xff", "\xff\xfe", "\xff\xff", "\xff\xff\x01"));
  EXPECT_THAT(Keys(kv().Scan({.prefix = "\xff\xff"})), ElementsAre("\xff\xff", "\xff\xff\x01"));
}

TEST_P(KvConformance, ATransactionSeesItsOwnWrites) {
  Fill(kv(), {"p1", "p2", "p3"});
  ASSERT_OK(kv().Transact({{"p"}}, [](KvTransaction& transaction) -> absl::Status {
    transaction.Put("p2", "new");
    transaction.Put("p25", "");
    transaction.Delete("p3");
    transaction.Put("p4", "x");
    transaction.Delete("p4");
    transaction.Put("q", "x");
    EXPECT_THAT(transaction.Get("p2"), IsOkAndHolds(Optional(Eq("new"))));
    EXPECT_THAT(transaction.Get("p25"), IsOkAndHolds(Optional(Eq(""))));
    EXPECT_THAT(transaction.Get("p3"), IsOkAndHolds(Eq(std::nullopt)));
    EXPECT_THAT(transaction.MultiGet(std::vector<std::string>{"p4", "p3", "p2", "p1"}),
                IsOkAndHolds(
                    ElementsAre(Eq(std::nullopt), Eq(std::nullopt), Optional(Eq("new")), Optional(Eq("value of p1")))));
    EXPECT_THAT(transaction.Scan({.prefix = "p"}),
                IsOkAndHolds(ElementsAre(KeyValue{"p1", "value of p1"}, KeyValue{"p2", "new"}, KeyValue{"p25", ""})));
    EXPECT_THAT(Keys(transaction.Scan({.prefix = "p", .start_after = "p1", .limit = 1})), ElementsAre("p2"));
    EXPECT_THAT(Keys(transaction.Scan({.prefix = "p", .start_after = "p25"})), IsEmpty());
    return absl::OkStatus();
  }));
  EXPECT_THAT(Keys(kv().Scan({})), ElementsAre("p1", "p2", "p25", "q"));
}

TEST_P(KvConformance, TheLastWriteOfAKeyWins) {
  ASSERT_OK(kv().Transact({{"a"}, {"b"}}, [](KvTransaction& transaction) {
    transaction.Put("a", "1");
    transaction.Put("a", "2");
    transaction.Delete("b");
    transaction.Put("b", "3");
    return absl::OkStatus();
  }));
  EXPECT_THAT(kv().Scan({}), IsOkAndHolds(ElementsAre(KeyValue{"a", "2"}, KeyValue{"b", "3"})));
}

TEST_P(KvConformance, WritesNothingIfTheFunctionFails) {
  Fill(kv(), {"a", "b"});
  absl::Status status = kv().Transact({{"a"}, {"b"}, {"c"}}, [](KvTransaction& transaction) {
    transaction.Put("a", "new");
    transaction.Delete("b");
    transaction.Put("c", "new");
    return absl::FailedPreconditionError("no");
  });
  EXPECT_EQ(status, absl::FailedPreconditionError("no"));
  EXPECT_THAT(kv().Scan({}), IsOkAndHolds(ElementsAre(KeyValue{"a", "value of a"}, KeyValue{"b", "value of b"})));
  EXPECT_OK(kv().Transact({{"a"}, {"b"}, {"c"}}, kNothing)) << "the locks are free";
}

TEST_P(KvConformance, AnExceptionWritesNothingAndFreesTheLocks) {
  EXPECT_THROW(kv().Transact({{"a"}},
                             [](KvTransaction& transaction) -> absl::Status {
                               transaction.Put("a", "new");
                               throw std::runtime_error("thrown by the test");
                             })
                   .IgnoreError(),
               std::runtime_error);
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_OK(kv().Transact({{"a"}}, kNothing));
}

TEST_P(KvConformance, WritingUnderASharedLockIsRefused) {
  absl::Status status = kv().Transact({{"a", LockMode::kShared}, {"b"}}, [](KvTransaction& transaction) {
    transaction.Put("b", "1");
    transaction.Put("a", "1");
    transaction.Put("c", "1");
    return absl::OkStatus();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(kv().Scan({}), IsOkAndHolds(IsEmpty()));
}

TEST_P(KvConformance, RunsAnAbortedFunctionAgain) {
  int runs = 0;
  ASSERT_OK(kv().Transact({{"a"}}, [&](KvTransaction& transaction) {
    transaction.Put(absl::StrCat("run", ++runs), "");
    return runs < 3 ? absl::AbortedError("again") : absl::OkStatus();
  }));
  EXPECT_EQ(runs, 3);
  EXPECT_THAT(Keys(kv().Scan({})), ElementsAre("run3")) << "writes of an aborted run do not stay";
}

TEST_P(KvConformance, GivesUpAfterTheLastAttempt) {
  int runs = 0;
  EXPECT_THAT(kv().Transact({{"a"}},
                            [&](KvTransaction& transaction) {
                              ++runs;
                              transaction.Put("a", "1");
                              return absl::AbortedError("again");
                            }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(runs, kAttemptsMax);
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_P(KvConformance, AKeyMayBeLockedTwice) {
  ASSERT_OK(kv().Transact({{"a", LockMode::kShared}, {"a", LockMode::kExclusive}, {"a", LockMode::kShared}, {""}},
                          [](KvTransaction& transaction) { return Increment(transaction, "a"); }));
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq("1"))));
}

TEST_P(KvConformance, SharedLocksDoNotExcludeEachOther) {
  absl::Notification inside[2];
  auto meet = [&](int self) {
    EXPECT_OK(kv().Transact({{"a", LockMode::kShared}}, [&](KvTransaction&) {
      inside[self].Notify();
      EXPECT_TRUE(inside[1 - self].WaitForNotificationWithTimeout(absl::Seconds(30)));
      return absl::OkStatus();
    }));
  };
  std::thread other([&] { meet(1); });
  meet(0);
  other.join();
}

TEST_P(KvConformance, ALockTimeoutAbortsAndARetrySucceeds) {
  std::unique_ptr<KvEngine> kv = GetParam().make(Attempts(1), absl::Milliseconds(5));
  // Each pair of modes with at least one exclusive lock. The key does not exist.
  const std::vector<std::pair<LockMode, LockMode>> conflicts = {{LockMode::kExclusive, LockMode::kExclusive},
                                                                {LockMode::kExclusive, LockMode::kShared},
                                                                {LockMode::kShared, LockMode::kExclusive}};
  for (auto [held, wanted] : conflicts) {
    absl::Notification inside, tried;
    std::thread holder([&, held = held] {
      EXPECT_OK(kv->Transact({{"a", held}}, [&](KvTransaction&) {
        inside.Notify();
        tried.WaitForNotification();
        return absl::OkStatus();
      }));
    });
    inside.WaitForNotification();
    bool ran = false;
    auto run = [&](KvTransaction&) {
      ran = true;
      return absl::OkStatus();
    };
    EXPECT_THAT(kv->Transact({{"A"}, {"a", wanted}}, run), StatusIs(absl::StatusCode::kAborted));
    EXPECT_FALSE(ran);
    EXPECT_OK(kv->Transact({{"A"}}, kNothing)) << "a lock taken before the one that failed is free again";
    EXPECT_OK(kv->Transact({{"b", wanted}}, run)) << "other keys are not locked";
    tried.Notify();
    holder.join();
    EXPECT_OK(kv->Transact({{"a", wanted}}, run));
    EXPECT_TRUE(ran);
  }
}

TEST_P(KvConformance, RetriesALockTimeout) {
  absl::Notification inside, retried;
  RetryPolicy retry = Attempts(1000);
  retry.on_retry = [&](RetryReason reason) {
    EXPECT_EQ(reason, RetryReason::kLockTimeout);
    if (!retried.HasBeenNotified()) retried.Notify();
  };
  std::unique_ptr<KvEngine> kv = GetParam().make(retry, absl::Milliseconds(1));
  std::thread holder([&] {
    EXPECT_OK(kv->Transact({{"a"}}, [&](KvTransaction&) {
      inside.Notify();
      EXPECT_TRUE(retried.WaitForNotificationWithTimeout(absl::Seconds(30)));
      return absl::OkStatus();
    }));
  });
  inside.WaitForNotification();
  EXPECT_OK(kv->Transact({{"a"}}, kNothing));
  holder.join();
}

TEST_P(KvConformance, ReadsUnderALockSeeEarlierCommits) {
  constexpr int kThreads = 8, kRounds = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        EXPECT_OK(kv().Transact(
            {{"n"}}, [](KvTransaction& transaction) { return Increment(transaction, "n"); }, Durability::kBuffered));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(kv().Get("n"), IsOkAndHolds(Optional(Eq(absl::StrCat(kThreads * kRounds)))));
}

TEST_P(KvConformance, ReadsSeeLaterCommits) {
  ASSERT_OK(Put(kv(), "b", "old"));
  ASSERT_OK(kv().Transact({{"a"}}, [&](KvTransaction& transaction) -> absl::Status {
    EXPECT_THAT(transaction.Get("b"), IsOkAndHolds(Optional(Eq("old"))));
    RETURN_IF_ERROR(Put(kv(), "b", "new"));
    EXPECT_THAT(transaction.Get("b"), IsOkAndHolds(Optional(Eq("new"))));
    EXPECT_THAT(transaction.Scan({}), IsOkAndHolds(ElementsAre(KeyValue{"b", "new"})));
    return absl::OkStatus();
  }));
}

TEST_P(KvConformance, LocksInOppositeOrdersDoNotDeadlock) {
  constexpr int kRounds = 200;
  auto run = [&](std::vector<Lock> locks) {
    for (int round = 0; round < kRounds; ++round) {
      // One attempt suffices; otherwise the lock timeout of 60 s makes the test visibly slow.
      EXPECT_OK(kv().Transact(
          locks,
          [](KvTransaction& transaction) -> absl::Status {
            RETURN_IF_ERROR(Increment(transaction, "a"));
            return Increment(transaction, "b");
          },
          Durability::kBuffered));
    }
  };
  std::thread one([&] { run({{"a"}, {"b"}}); });
  std::thread two([&] { run({{"b"}, {"a"}}); });
  one.join();
  two.join();
  EXPECT_THAT(kv().Get("a"), IsOkAndHolds(Optional(Eq(absl::StrCat(2 * kRounds)))));
  EXPECT_THAT(kv().Get("b"), IsOkAndHolds(Optional(Eq(absl::StrCat(2 * kRounds)))));
}

TEST_P(KvConformance, CommitsAreAtomicToReaders) {
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop.load(); ++i) {
      const std::string value = absl::StrCat(i);
      EXPECT_OK(kv().Transact(
          {{"a"}, {"b"}},
          [&](KvTransaction& transaction) {
            transaction.Put("a", value);
            transaction.Put("b", value);
            return absl::OkStatus();
          },
          Durability::kBuffered));
    }
  });
  for (int i = 0; i < 2000; ++i) {
    absl::StatusOr<std::vector<std::optional<std::string>>> read = kv().MultiGet(std::vector<std::string>{"a", "b"});
    EXPECT_OK(read);
    EXPECT_EQ((*read)[0], (*read)[1]);
  }
  stop = true;
  writer.join();
}

TEST_P(KvConformance, ATransactionMayWriteTenThousandKeys) {
  constexpr int kCount = 10000;
  std::vector<Lock> locks;
  for (int i = 0; i < kCount; ++i) locks.push_back({absl::StrFormat("p%05d", kCount - 1 - i)});
  ASSERT_OK(kv().Transact(locks, [&](KvTransaction& transaction) {
    for (int i = 0; i < kCount; ++i) transaction.Put(absl::StrFormat("p%05d", i), absl::StrCat(i));
    EXPECT_THAT(transaction.Scan({.prefix = "p", .limit = 2 * kCount}), IsOkAndHolds(SizeIs(kCount)));
    return absl::OkStatus();
  }));
  absl::StatusOr<std::vector<KeyValue>> all = kv().Scan({.prefix = "p", .limit = 2 * kCount});
  ASSERT_THAT(all, IsOkAndHolds(SizeIs(kCount)));
  for (int i = 0; i < kCount; ++i) EXPECT_EQ((*all)[i], (KeyValue{absl::StrFormat("p%05d", i), absl::StrCat(i)}));
}

}  // namespace
}  // namespace entrepot::kv
