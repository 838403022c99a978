#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_CONFORMANCE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/blob/objects/object_store.h"

namespace entrepot::blob {

// Makes an empty store. The pointer also owns the store's dependencies.
using ObjectStoreMaker = std::function<std::shared_ptr<StagingObjectStore>()>;

// The contract of StagingObjectStore as tests. Instantiate it in the test of each implementation:
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values([] { return …; }));
class ObjectStoreConformance : public testing::TestWithParam<ObjectStoreMaker> {
 protected:
  std::shared_ptr<StagingObjectStore> store_ = GetParam()();
};

// All bytes of an open object.
std::string Contents(const OpenObject& object);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_CONFORMANCE_H_
