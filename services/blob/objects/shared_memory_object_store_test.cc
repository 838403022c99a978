#include "services/blob/objects/shared_memory_object_store.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/core/upload_id.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

TEST(SharedMemoryObjectStoreTest, ReadsSavedBytesByTheirStateUntilALaterOneIsRecorded) {
  SharedMemoryObjectStore store;
  const UploadId id = UploadId::Random();
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> first, store.OpenStaged(id, 0, ""));
  ASSERT_OK(first->Append("abc"));
  ASSERT_OK_AND_ASSIGN(const std::string abc, first->Save());
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> second, store.OpenStaged(id, 3, abc));
  ASSERT_OK(second->Append("de"));
  // What the others append stays with them.
  ASSERT_OK(first->Append("xy"));
  ASSERT_OK_AND_ASSIGN(const std::string abcde, second->Save());
  EXPECT_OK(store.OpenStaged(id, 3, abc));
  second->Recorded();
  EXPECT_THAT(store.OpenStaged(id, 3, abc), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(store.OpenStaged(id, 3, abcde), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> third, store.OpenStaged(id, 5, abcde));
  ASSERT_OK(store.Publish(id, std::move(third)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store.Open(StagingObjectStore::KeyOf(id)));
  EXPECT_EQ(Contents(object), "abcde");
  EXPECT_EQ(store.staged_uploads(), 0u);
}

}  // namespace
}  // namespace entrepot::blob
