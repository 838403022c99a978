#include "services/blob/sessions/upload_claims.h"

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using Record = UploadClaims::Record;

class UploadClaimsTest : public testing::Test {
 protected:
  UploadClaimsTest() {
    Record record;
    record.set_state(Record::OPEN);
    EXPECT_OK(records_.Create(id_, record));
  }

  static absl::StatusOr<UploadClaims::Taken> Take(UploadClaims& claims, const UploadId& id, bool seals = false) {
    return claims.Take(id, seals, [](const Record&) { return absl::OkStatus(); });
  }
  Record Stored() {
    return *records_.Change(id_, [](Record&) { return absl::OkStatus(); });
  }

  const UploadId id_ = UploadId::Random();
  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  VersionedRecords records_{&kv_, &clock_};
  UploadClaims one_{&records_, &clock_, "one"};
  UploadClaims two_{&records_, &clock_, "two"};
};

TEST_F(UploadClaimsTest, KeepsOthersAwayUntilItIsReleased) {
  ASSERT_OK_AND_ASSIGN(const UploadClaims::Taken taken, Take(one_, id_));
  EXPECT_EQ(taken.record.claim().holder(), "one");
  EXPECT_TRUE(two_.IsHeld(Stored()));
  EXPECT_THAT(Take(two_, id_), IsOciError(OciErrorCode::kRangeInvalid));
  taken.claim->Release();
  EXPECT_NE(Stored().version(), taken.record.version());
  EXPECT_OK(Take(two_, id_));
}

TEST_F(UploadClaimsTest, StatesWhenARequestMayBeRepeated) {
  ASSERT_OK_AND_ASSIGN(const UploadClaims::Taken taken, Take(one_, id_, /*seals=*/true));
  const absl::Status refused = two_.CheckFree(Stored());
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(GetRetryAfter(refused), UploadClaims::kLifetime);
}

TEST_F(UploadClaimsTest, LastsAsLongAsItIsRenewed) {
  ASSERT_OK_AND_ASSIGN(const UploadClaims::Taken taken, Take(one_, id_));
  for (int i = 0; i < 20; ++i) {
    clock_.Advance(absl::Seconds(3));
    one_.Renew();
    EXPECT_THAT(Take(two_, id_), IsOciError(OciErrorCode::kRangeInvalid));
  }
  clock_.Advance(UploadClaims::kLifetime);
  ASSERT_OK(Take(two_, id_));
  EXPECT_THAT(taken.claim->Confirm(), IsOciError(OciErrorCode::kRangeInvalid));
  // It does not give away what another request has.
  const std::string version = Stored().version();
  taken.claim->Release();
  one_.Renew();
  EXPECT_EQ(Stored().version(), version);
}

TEST_F(UploadClaimsTest, AClaimThatIsDestroyedIsNotRenewed) {
  ASSERT_OK(Take(one_, id_));
  clock_.Advance(absl::Seconds(5));
  one_.Renew();
  clock_.Advance(absl::Seconds(5));
  EXPECT_OK(Take(two_, id_));
}

TEST_F(UploadClaimsTest, IsRenewedLateIfNoOtherRequestHasTheSession) {
  ASSERT_OK_AND_ASSIGN(const UploadClaims::Taken taken, Take(one_, id_));
  clock_.Advance(absl::Hours(1));
  EXPECT_OK(taken.claim->Confirm());
  EXPECT_THAT(Take(two_, id_), IsOciError(OciErrorCode::kRangeInvalid));
}

TEST_F(UploadClaimsTest, AClockThatWasSetBackDoesNotKeepTheSession) {
  ASSERT_OK(Take(one_, id_));
  clock_.Advance(-absl::Hours(1));
  EXPECT_OK(Take(two_, id_));
}

TEST_F(UploadClaimsTest, ARecordThatChangedIsNotReplaced) {
  Record record = Stored();
  const std::string version = record.version();
  ASSERT_OK(Take(one_, id_));
  EXPECT_THAT(records_.Replace(id_, version, record, kv::Durability::kSynced), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(records_.Replace(UploadId::Random(), version, record, kv::Durability::kSynced),
              IsOciError(OciErrorCode::kBlobUploadUnknown));
}

}  // namespace
}  // namespace entrepot::blob
