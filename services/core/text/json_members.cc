#include "services/core/text/json_members.h"

namespace entrepot {
namespace {

absl::string_view TextOf(const boost::json::value* member) {
  if (member == nullptr || !member->is_string()) return "";
  return {member->get_string().data(), member->get_string().size()};
}

}  // namespace

const boost::json::value* JsonMember(const boost::json::value& value, absl::string_view name) {
  return value.is_object() ? JsonMember(value.get_object(), name) : nullptr;
}

const boost::json::value* JsonMember(const boost::json::object& object, absl::string_view name) {
  return object.if_contains({name.data(), name.size()});
}

absl::string_view JsonText(const boost::json::value& value, absl::string_view name) {
  return TextOf(JsonMember(value, name));
}

absl::string_view JsonText(const boost::json::object& object, absl::string_view name) {
  return TextOf(JsonMember(object, name));
}

std::optional<uint64_t> JsonSize(const boost::json::value& value, absl::string_view name) {
  const boost::json::value* const member = JsonMember(value, name);
  if (member == nullptr) return std::nullopt;
  if (member->is_uint64()) return member->get_uint64();
  if (member->is_int64() && member->get_int64() >= 0) return static_cast<uint64_t>(member->get_int64());
  return std::nullopt;
}

}  // namespace entrepot
