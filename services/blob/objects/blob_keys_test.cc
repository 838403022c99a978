#include "services/blob/objects/blob_keys.h"

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

// The keys are stored on users' disks and must never change.
TEST(BlobKeysTest, KeysDoNotChange) {
  EXPECT_EQ(kFormatKey, "f/blob");
  EXPECT_EQ(UploadKey(*UploadId::Parse("00112233445566778899aabbccddeeff")), "u/00112233445566778899aabbccddeeff");
  EXPECT_EQ(ObjectKey(*StorageKey::Parse("k00112233445566778899aabbccddeeff")), "o/k00112233445566778899aabbccddeeff");
}

TEST(BlobKeysTest, ParsesUploadKeys) {
  const UploadId id = UploadId::Random();
  EXPECT_THAT(ParseUploadKey(UploadKey(id)), IsOkAndHolds(id));
  for (const char* key :
       {"", "u/", "u/0011", "o/00112233445566778899aabbccddeeff", "u/00112233445566778899aabbccddeefg"}) {
    EXPECT_THAT(ParseUploadKey(key), StatusIs(absl::StatusCode::kDataLoss)) << key;
  }
}

TEST(BlobKeysTest, AnObjectIsNamedAfterItsUpload) {
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(const StorageKey key, StorageKey::Parse("k" + id.ToString()));
  EXPECT_EQ(UploadOf(key), id);
  EXPECT_THAT(ParseObjectKey(ObjectKey(key)), IsOkAndHolds(key));
  EXPECT_THAT(ParseObjectKey(QuarantineKey(key)), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ParseObjectKey("o/" + id.ToString()), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entrepot::blob
