#include "services/auth/identity/remote_key_set.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/status/status_matchers.h"
#include "services/token/signing_key.h"

namespace entrepot::auth {
namespace {

using token::SigningKey;

std::string TextOf(const SigningKey& key) { return token::KeySet({key.verification_key()}).ToJson(); }

class RemoteKeySetTest : public testing::Test {
 protected:
  absl::StatusOr<std::string> Fetch() {
    ++fetches_;
    return answer_;
  }
  bool Has(const SigningKey& key) { return address_.Get().value()->Find(key.kid()) != nullptr; }

  const SigningKey old_key_ = SigningKey::Generate(token::SignatureAlgorithm::kEs256);
  const SigningKey new_key_ = SigningKey::Generate(token::SignatureAlgorithm::kEs256);
  FakeClock clock_;
  int fetches_ = 0;
  absl::StatusOr<std::string> answer_ = TextOf(old_key_);
  RemoteKeySet address_{"ci", [this] { return Fetch(); }, &clock_};
};

TEST_F(RemoteKeySetTest, FetchesOnDemandAndCaches) {
  EXPECT_EQ(fetches_, 0);
  EXPECT_TRUE(Has(old_key_));
  answer_ = TextOf(new_key_);
  clock_.Advance(RemoteKeySet::kFetchAgainAfter - absl::Seconds(1));
  EXPECT_TRUE(Has(old_key_));
  EXPECT_EQ(fetches_, 1);
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Has(new_key_));
  EXPECT_FALSE(Has(old_key_));
  EXPECT_EQ(fetches_, 2);
}

TEST_F(RemoteKeySetTest, FetchesForAnUnknownKidAtALimitedRate) {
  EXPECT_TRUE(Has(old_key_));
  answer_ = TextOf(new_key_);
  for (int i = 0; i < 100; ++i) ASSERT_OK(address_.GetNewer());
  EXPECT_EQ(fetches_, 1);
  clock_.Advance(RemoteKeySet::kFetchInterval);
  EXPECT_NE(address_.GetNewer().value()->Find(new_key_.kid()), nullptr);
  for (int i = 0; i < 100; ++i) ASSERT_OK(address_.GetNewer());
  EXPECT_EQ(fetches_, 2);
}

TEST_F(RemoteKeySetTest, KeepsTheOldKeysForADayIfFetchesFail) {
  EXPECT_TRUE(Has(old_key_));
  for (const absl::StatusOr<std::string>& bad :
       {absl::StatusOr<std::string>(absl::UnavailableError("no")), absl::StatusOr<std::string>("{}")}) {
    answer_ = bad;
    clock_.Advance(RemoteKeySet::kFetchAgainAfter);
    const int before = fetches_;
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(Has(old_key_));
    EXPECT_EQ(fetches_, before + 1);
  }
  clock_.Advance(RemoteKeySet::kStaleMax);
  EXPECT_THAT(address_.Get(), StatusIs(absl::StatusCode::kUnavailable));
  answer_ = TextOf(new_key_);
  clock_.Advance(RemoteKeySet::kFetchInterval);
  EXPECT_TRUE(Has(new_key_));
}

TEST_F(RemoteKeySetTest, RetriesSoonWithoutKeys) {
  answer_ = absl::UnavailableError("no");
  for (int i = 0; i < 100; ++i) EXPECT_THAT(address_.Get(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(fetches_, 1);
  answer_ = TextOf(old_key_);
  clock_.Advance(RemoteKeySet::kFirstFetchInterval);
  EXPECT_TRUE(Has(old_key_));
}

// A server that answers when a test lets it.
class SlowServer {
 public:
  explicit SlowServer(std::string text) : text_(std::move(text)) {}
  absl::StatusOr<std::string> Fetch() {
    ++fetches;
    if (slow) {
      asked.Notify();
      answers.WaitForNotification();
    }
    return text_;
  }

  std::atomic<int> fetches = 0;
  std::atomic<bool> slow = true;
  absl::Notification asked;
  absl::Notification answers;

 private:
  const std::string text_;
};

TEST_F(RemoteKeySetTest, ConcurrentCallsShareOneFetch) {
  SlowServer server(TextOf(old_key_));
  RemoteKeySet address(
      "ci", [&] { return server.Fetch(); }, &clock_);
  std::atomic<int> good = 0;
  std::atomic<int> refused = 0;
  const auto get = [&] { ++(address.Get().ok() ? good : refused); };
  std::vector<std::thread> threads;
  threads.emplace_back(get);
  server.asked.WaitForNotification();
  constexpr int kMore = RemoteKeySet::kWaitersMax + 3;
  for (int i = 0; i < kMore; ++i) threads.emplace_back(get);
  // The allowed number of calls waits; the others have returned.
  EXPECT_TRUE(Eventually([&] { return refused >= kMore - RemoteKeySet::kWaitersMax; }));
  EXPECT_EQ(good, 0);
  server.answers.Notify();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 1 + RemoteKeySet::kWaitersMax);
  EXPECT_EQ(server.fetches, 1);
}

TEST_F(RemoteKeySetTest, CallsUseCachedKeysDuringASlowFetch) {
  SlowServer server(TextOf(old_key_));
  server.slow = false;
  RemoteKeySet address(
      "ci", [&] { return server.Fetch(); }, &clock_);
  ASSERT_OK(address.Get());
  server.slow = true;
  clock_.Advance(RemoteKeySet::kFetchAgainAfter);
  std::thread fetcher([&] { EXPECT_OK(address.Get()); });
  server.asked.WaitForNotification();
  EXPECT_NE(address.Get().value()->Find(old_key_.kid()), nullptr);
  server.answers.Notify();
  fetcher.join();
}

}  // namespace
}  // namespace entrepot::auth
