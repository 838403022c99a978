#ifndef ENTREPOT_SERVICES_CORE_TEXT_JSON_MEMBERS_H_
#define ENTREPOT_SERVICES_CORE_TEXT_JSON_MEMBERS_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "boost/json/object.hpp"
#include "boost/json/value.hpp"

// Members of JSON objects that other programs wrote, for readers to which a member of another type is as good as none.
namespace entrepot {

// Null if the value is not an object, or has no such member.
const boost::json::value* JsonMember(const boost::json::value& value, absl::string_view name);
const boost::json::value* JsonMember(const boost::json::object& object, absl::string_view name);

// A view into the value; empty if there is no such text.
absl::string_view JsonText(const boost::json::value& value, absl::string_view name);
absl::string_view JsonText(const boost::json::object& object, absl::string_view name);

// nullopt if there is no such whole number of 0 or more.
std::optional<uint64_t> JsonSize(const boost::json::value& value, absl::string_view name);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TEXT_JSON_MEMBERS_H_
