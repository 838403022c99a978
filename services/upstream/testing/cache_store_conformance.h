#ifndef ENTREPOT_SERVICES_UPSTREAM_TESTING_CACHE_STORE_CONFORMANCE_H_
#define ENTREPOT_SERVICES_UPSTREAM_TESTING_CACHE_STORE_CONFORMANCE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "services/core/blob_storage.h"
#include "services/core/repository_name.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// Provided by the test of an implementation: the store, with everything that it needs.
class CacheStoreUnderTest {
 public:
  virtual ~CacheStoreUnderTest() = default;
  virtual CacheStore& store() = 0;

  // Behind the store: the objects, and a blob that a client pushes.
  virtual BlobStorage& objects() = 0;
  virtual void Push(const RepositoryName& repository, const std::string& bytes) = 0;
  // The requests for room that have come to the catalog, each of which it answers with the upstream as the repository
  // of an image.
  virtual std::vector<RoomRequest> room_requests() = 0;
};

// Makes a store over empty services.
using CacheStoreFactory = std::function<std::unique_ptr<CacheStoreUnderTest>()>;

// Tests the contract of CacheStore. Every implementation instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Local, CacheStoreConformanceTest, testing::Values(MakeIt));
class CacheStoreConformanceTest : public testing::TestWithParam<CacheStoreFactory> {
 protected:
  CacheStore& store() { return under_test_->store(); }
  // Writes a blob, in pieces of that size.
  absl::Status Write(const RepositoryName& repository, absl::string_view bytes, size_t piece_bytes = 100'000);
  absl::Status Put(const RepositoryName& repository, const std::string& content);
  std::vector<RoomRequest> room_requests() { return under_test_->room_requests(); }
  size_t OpenUploads() { return under_test_->objects().CountUploads()->sessions; }
  size_t SealedUploads() { return under_test_->objects().CountUploads()->sealed.count; }

  std::unique_ptr<CacheStoreUnderTest> under_test_ = GetParam()();
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_TESTING_CACHE_STORE_CONFORMANCE_H_
