#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_CONFORMANCE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/blob/objects/object_store.h"

namespace entrepot::blob {

// Makes a store that is empty; what it needs lives as long as the pointer.
using ObjectStoreMaker = std::function<std::shared_ptr<ObjectStore>()>;

// What every ObjectStore keeps. Instantiate it beside each implementation:
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values([] { return …; }));
class ObjectStoreConformance : public testing::TestWithParam<ObjectStoreMaker> {
 protected:
  std::shared_ptr<ObjectStore> store_ = GetParam()();
};

// All bytes of an open object.
std::string Contents(const OpenObject& object);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_CONFORMANCE_H_
