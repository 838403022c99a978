#include "services/auth/tokens/signing_key_set.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/auth/records/auth_keys.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/record_io.h"
#include "services/status/status_matchers.h"
#include "services/token/claims.h"

namespace entrepot::auth {
namespace {

using storage::v1::SigningKeySetRecord;
using testing::HasSubstr;
using testing::SizeIs;
using token::SignatureAlgorithm;

constexpr absl::Duration kLifetime = absl::Minutes(5);

class SigningKeySetTest : public testing::Test {
 protected:
  // The key set of another process that shares the KV.
  std::unique_ptr<SigningKeySet> Open(SignatureAlgorithm algorithm = SignatureAlgorithm::kEs256,
                                      absl::Duration token_lifetime = kLifetime) {
    auto set = SigningKeySet::Open(&faulty_, &clock_, {.algorithm = algorithm, .token_lifetime = token_lifetime});
    EXPECT_OK(set);
    return *std::move(set);
  }
  std::unique_ptr<SigningKeySet> OpenWithLifetime(absl::Duration token_lifetime) {
    return Open(SignatureAlgorithm::kEs256, token_lifetime);
  }
  SigningKeySetRecord Record() { return kv::ReadRecord<SigningKeySetRecord>(kv_, keys::SigningKeys()).value().value(); }
  void Write(const std::string& value) {
    ASSERT_OK(kv_.Transact(
        {},
        [&](kv::KvTransaction& transaction) {
          transaction.Put(keys::SigningKeys(), value);
          return absl::OkStatus();
        },
        kv::Durability::kSynced));
  }
  // The KV fails until Restart().
  void Crash() {
    faulty_.InjectAt(1, kv::Fault::kCrashBeforeCommit);
    ASSERT_FALSE(faulty_
                     .Transact(
                         {}, [](kv::KvTransaction&) { return absl::OkStatus(); }, kv::Durability::kSynced)
                     .ok());
    ASSERT_TRUE(faulty_.crashed());
  }

  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  kv::FaultInjectingKvEngine faulty_{&kv_};
};

// Whether a verifier that reads the set now accepts tokens of the key.
bool Verifies(SigningKeySet& set, const token::SigningKey& key) {
  const token::KeySet keys = set.VerificationKeys().value();
  const token::VerificationKey* const found = keys.Find(key.kid());
  return found != nullptr && found->Verify("text", key.Sign("text"));
}

TEST_F(SigningKeySetTest, CreatesTheFirstKeyAndKeepsIt) {
  const auto set = Open();
  ASSERT_OK_AND_ASSIGN(const token::SigningKey key, set->Active());
  EXPECT_EQ(key.algorithm(), SignatureAlgorithm::kEs256);
  EXPECT_TRUE(Verifies(*set, key));
  const auto restarted = Open();
  EXPECT_EQ(restarted->Active()->kid(), key.kid());
  EXPECT_TRUE(Verifies(*restarted, key));
}

TEST_F(SigningKeySetTest, ProcessesThatStartTogetherShareOneKey) {
  std::vector<std::string> kids(8);
  std::vector<std::thread> processes;
  for (std::string& kid : kids) processes.emplace_back([&] { kid = Open()->Active()->kid(); });
  for (std::thread& process : processes) process.join();
  EXPECT_THAT(std::set<std::string>(kids.begin(), kids.end()), SizeIs(1));
  EXPECT_THAT(Record().keys(), SizeIs(1));
}

TEST_F(SigningKeySetTest, SignsWithTheNewKeyAndVerifiesWithTheOldOneWhileItsTokensAreValid) {
  const auto set = Open();
  const token::SigningKey old_key = set->Active().value();
  ASSERT_OK(set->Rotate());
  const token::SigningKey new_key = set->Active().value();
  EXPECT_NE(new_key.kid(), old_key.kid());
  EXPECT_TRUE(Verifies(*set, new_key));

  // The last token of another process that has not noticed the rotation yet, verified on a machine whose clock is
  // behind.
  clock_.Advance(SigningKeySet::kStaleMax + kLifetime + token::kLeeway - absl::Seconds(1));
  EXPECT_TRUE(Verifies(*set, old_key));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Verifies(*set, old_key));
  EXPECT_TRUE(Verifies(*set, new_key));
  ASSERT_OK(set->Rotate());
  EXPECT_THAT(Record().keys(), SizeIs(2));
}

TEST_F(SigningKeySetTest, AnOldKeyVerifiesForTheLongestLifetimeWithWhichItSigned) {
  constexpr absl::Duration kLonger = absl::Hours(1);
  const token::SigningKey old_key = OpenWithLifetime(kLonger)->Active().value();
  const auto set = OpenWithLifetime(kLifetime);
  EXPECT_EQ(set->Active()->kid(), old_key.kid());
  ASSERT_OK(set->Rotate());
  clock_.Advance(SigningKeySet::kStaleMax + kLonger + token::kLeeway - absl::Seconds(1));
  EXPECT_TRUE(Verifies(*set, old_key));
  clock_.Advance(absl::Seconds(1));
  EXPECT_FALSE(Verifies(*set, old_key));

  // The new key has signed only with the shorter lifetime.
  ASSERT_OK(set->Rotate());
  EXPECT_EQ(set->List()->back().verifies_until, clock_.Now() + SigningKeySet::kStaleMax + kLifetime + token::kLeeway);
}

TEST_F(SigningKeySetTest, ALongerLifetimeAppliesToTheKeyThatSigns) {
  Open();
  OpenWithLifetime(absl::Minutes(20) - absl::Milliseconds(1));
  EXPECT_EQ(Record().keys(0).longest_token_lifetime_seconds(), 20 * 60);
  Open();
  EXPECT_EQ(Record().keys(0).longest_token_lifetime_seconds(), 20 * 60);
}

TEST_F(SigningKeySetTest, NotesTheLifetimeOfAKeyThatAnOlderVersionMade) {
  const token::SigningKey old_key = Open()->Active().value();
  SigningKeySetRecord old_record = Record();
  old_record.mutable_keys(0)->clear_longest_token_lifetime_seconds();
  Write(old_record.SerializeAsString());
  const auto set = Open();
  EXPECT_EQ(set->Active()->kid(), old_key.kid());
  EXPECT_EQ(Record().keys(0).longest_token_lifetime_seconds(), absl::ToInt64Seconds(kLifetime));
}

TEST_F(SigningKeySetTest, SignsWhileTheLifetimeCannotBeNoted) {
  const std::string kid = Open()->Active()->kid();
  faulty_.InjectAt(1, kv::Fault::kFailCommit);
  const auto set = OpenWithLifetime(absl::Hours(1));
  EXPECT_EQ(set->Active()->kid(), kid);
  EXPECT_EQ(Record().keys(0).longest_token_lifetime_seconds(), absl::ToInt64Seconds(kLifetime));
  clock_.Advance(SigningKeySet::kReadAgainAfter);
  EXPECT_EQ(set->Active()->kid(), kid);
  EXPECT_EQ(Record().keys(0).longest_token_lifetime_seconds(), 60 * 60);
}

TEST_F(SigningKeySetTest, DeletesThePrivateHalfOfTheOldKey) {
  const auto set = Open();
  const std::string old_pem = set->Active()->ToPem();
  ASSERT_TRUE(absl::StrContains(Record().SerializeAsString(), old_pem));
  ASSERT_OK(set->Rotate());
  EXPECT_FALSE(absl::StrContains(Record().SerializeAsString(), old_pem));
  EXPECT_TRUE(absl::StrContains(Record().SerializeAsString(), set->Active()->ToPem()));
}

TEST_F(SigningKeySetTest, OtherProcessesVerifyWithTheNewKeyAtOnceAndSignWithItSoon) {
  const auto here = Open();
  const auto there = Open();
  const token::SigningKey old_key = there->Active().value();
  ASSERT_OK(here->Rotate());
  const token::SigningKey new_key = here->Active().value();
  EXPECT_EQ(there->Active()->kid(), old_key.kid());
  EXPECT_TRUE(Verifies(*here, old_key));
  clock_.Advance(SigningKeySet::kReadAgainAfter);
  EXPECT_EQ(there->Active()->kid(), new_key.kid());

  ASSERT_OK(here->Rotate());
  EXPECT_TRUE(Verifies(*there, here->Active().value()));
}

TEST_F(SigningKeySetTest, KeepsEveryConcurrentRotation) {
  const auto here = Open();
  const auto there = Open();
  std::thread other([&] { EXPECT_OK(there->Rotate()); });
  EXPECT_OK(here->Rotate());
  other.join();
  EXPECT_THAT(Record().keys(), SizeIs(3));
  EXPECT_EQ(here->List()->front().kid, there->List()->front().kid);
}

TEST_F(SigningKeySetTest, TheConfiguredAlgorithmAppliesToNewKeys) {
  const token::SigningKey old_key = Open(SignatureAlgorithm::kEs256)->Active().value();
  const auto set = Open(SignatureAlgorithm::kEdDsa);
  EXPECT_EQ(set->Active()->kid(), old_key.kid());
  ASSERT_OK(set->Rotate());
  EXPECT_EQ(set->Active()->algorithm(), SignatureAlgorithm::kEdDsa);
  EXPECT_TRUE(Verifies(*set, old_key));
}

TEST_F(SigningKeySetTest, ListsTheNewestFirst) {
  const auto set = Open();
  const std::string old_kid = set->Active()->kid();
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(set->Rotate());
  ASSERT_OK_AND_ASSIGN(const std::vector<SigningKeySet::KeyInfo> list, set->List());
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].kid, set->Active()->kid());
  EXPECT_EQ(list[0].algorithm, SignatureAlgorithm::kEs256);
  EXPECT_EQ(list[0].created_at, clock_.Now());
  EXPECT_EQ(list[0].verifies_until, std::nullopt);
  EXPECT_EQ(list[1].kid, old_kid);
  EXPECT_EQ(list[1].created_at, start);
  EXPECT_EQ(list[1].verifies_until, clock_.Now() + SigningKeySet::kStaleMax + kLifetime + token::kLeeway);
}

TEST_F(SigningKeySetTest, BoundsTheNumberOfOldKeys) {
  const auto set = Open();
  for (size_t i = 0; i < SigningKeySet::kOldKeysMax; ++i) ASSERT_OK(set->Rotate());
  const std::string kid = set->Active()->kid();
  const std::string first_end = absl::FormatTime(*set->List()->back().verifies_until, absl::UTCTimeZone());
  const absl::Status status = set->Rotate();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("rotate again after ", first_end)));
  EXPECT_EQ(set->Active()->kid(), kid);
  clock_.Advance(absl::Hours(1));
  EXPECT_OK(set->Rotate());
}

TEST_F(SigningKeySetTest, SignsWithTheLastKeyForAWhileIfTheKvFails) {
  const auto set = Open();
  const std::string kid = set->Active()->kid();
  Crash();
  clock_.Advance(SigningKeySet::kStaleMax - absl::Seconds(1));
  EXPECT_EQ(set->Active()->kid(), kid);
  EXPECT_THAT(set->VerificationKeys(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(set->Rotate(), StatusIs(absl::StatusCode::kUnavailable));
  clock_.Advance(absl::Seconds(1));
  EXPECT_THAT(set->Active(), StatusIs(absl::StatusCode::kUnavailable));
  faulty_.Restart();
  EXPECT_EQ(set->Active()->kid(), kid);
}

TEST_F(SigningKeySetTest, RotatesOnceOrNotAtAllIfACommitFails) {
  const auto set = Open();
  const std::string kid = set->Active()->kid();
  faulty_.InjectAt(1, kv::Fault::kFailCommit);
  EXPECT_FALSE(set->Rotate().ok());
  EXPECT_EQ(set->List()->front().kid, kid);
  faulty_.InjectAt(1, kv::Fault::kLoseReply);
  EXPECT_FALSE(set->Rotate().ok());
  EXPECT_NE(set->List()->front().kid, kid);
  EXPECT_THAT(*set->List(), SizeIs(2));
}

TEST_F(SigningKeySetTest, RefusesAnInvalidRecord) {
  Open();
  const SigningKeySetRecord good = Record();
  SigningKeySetRecord no_private_key = good;
  no_private_key.mutable_keys(0)->clear_private_key_pem();
  SigningKeySetRecord other_private_key = good;
  other_private_key.mutable_keys(0)->set_private_key_pem(
      token::SigningKey::Generate(SignatureAlgorithm::kEs256).ToPem());
  SigningKeySetRecord no_public_key = good;
  no_public_key.mutable_keys(0)->set_public_jwk("{}");
  for (const std::string& value : {std::string("\xFF"), std::string(), no_private_key.SerializeAsString(),
                                   other_private_key.SerializeAsString(), no_public_key.SerializeAsString()}) {
    Write(value);
    const auto set = SigningKeySet::Open(&kv_, &clock_, {.token_lifetime = kLifetime});
    EXPECT_THAT(set, StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(std::string(set.status().message()), Not(HasSubstr("PRIVATE")));
  }
}

}  // namespace
}  // namespace entrepot::auth
