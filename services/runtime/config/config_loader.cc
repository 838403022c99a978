#include "services/runtime/config/config_loader.h"

#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "services/runtime/config/config_value.h"
#include "services/runtime/config/yaml_tree.h"
#include "services/runtime/files/file_contents.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::OneofDescriptor;
using ::google::protobuf::Reflection;

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == google::protobuf::Duration::descriptor()->full_name();
}

// Sets a field, or appends to it if it is a list.
absl::Status StoreScalar(const YamlNode& node, const FieldDescriptor* field, Message* message) {
  const Reflection* to = message->GetReflection();
  const bool add = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      using Limits = std::numeric_limits<int32_t>;
      ASSIGN_OR_RETURN(const int64_t wide, SignedValue(node, Limits::min(), Limits::max()));
      const int32_t value = static_cast<int32_t>(wide);
      add ? to->AddInt32(message, field, value) : to->SetInt32(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      using Limits = std::numeric_limits<int64_t>;
      ASSIGN_OR_RETURN(const int64_t value, SignedValue(node, Limits::min(), Limits::max()));
      add ? to->AddInt64(message, field, value) : to->SetInt64(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      ASSIGN_OR_RETURN(const uint64_t wide, UnsignedValue(node, std::numeric_limits<uint32_t>::max()));
      const uint32_t value = static_cast<uint32_t>(wide);
      add ? to->AddUInt32(message, field, value) : to->SetUInt32(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      ASSIGN_OR_RETURN(const uint64_t value, UnsignedValue(node, std::numeric_limits<uint64_t>::max()));
      add ? to->AddUInt64(message, field, value) : to->SetUInt64(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      ASSIGN_OR_RETURN(const double value, DecimalValue(node));
      add ? to->AddDouble(message, field, value) : to->SetDouble(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      ASSIGN_OR_RETURN(const double wide, DecimalValue(node));
      const float value = static_cast<float>(wide);
      add ? to->AddFloat(message, field, value) : to->SetFloat(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL: {
      ASSIGN_OR_RETURN(const bool value, BoolValue(node));
      add ? to->AddBool(message, field, value) : to->SetBool(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      ASSIGN_OR_RETURN(const auto* value, EnumValue(node, *field->enum_type()));
      add ? to->AddEnum(message, field, value) : to->SetEnum(message, field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        return absl::InvalidArgumentError("bytes fields are not supported in a file");
      }
      ASSIGN_OR_RETURN(std::string value, TextValue(node));
      add ? to->AddString(message, field, std::move(value)) : to->SetString(message, field, std::move(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return absl::InternalError(absl::StrCat("not a scalar: ", field->full_name()));
}

class ConfigReader {
 public:
  explicit ConfigReader(absl::string_view file_name) : file_name_(file_name) {}

  // `path` is the path of the message: "" or "limits".
  absl::Status ReadMessage(const YamlNode& node, const std::string& path, Message* message) const {
    if (node.kind == YamlNode::Kind::kNothing) return absl::OkStatus();
    if (node.kind != YamlNode::Kind::kMap) return At(node, path, Expected("fields (name: value)", node));
    std::set<const FieldDescriptor*> seen;
    std::set<const OneofDescriptor*> seen_oneofs;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& name = node.items[i];
      ASSIGN_OR_RETURN(const FieldDescriptor* field, FindField(name, path, *message->GetDescriptor()));
      const std::string field_path = path.empty() ? field->name() : absl::StrCat(path, ".", field->name());
      if (!seen.insert(field).second) return At(name, field_path, absl::InvalidArgumentError("given twice"));
      // The oneof of a proto3 optional field is not visible to users.
      const OneofDescriptor* oneof = field->real_containing_oneof();
      if (oneof != nullptr && !seen_oneofs.insert(oneof).second) {
        return At(name, field_path,
                  absl::InvalidArgumentError(absl::StrCat("only one of ", MembersOf(*oneof), " may be given")));
      }
      RETURN_IF_ERROR(ReadField(node.items[i + 1], field_path, field, message));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status At(const YamlNode& node, const std::string& path, const absl::Status& what) const {
    const absl::string_view separator = path.empty() ? "" : ": ";
    return absl::InvalidArgumentError(absl::StrCat(file_name_, ":", node.line, ": ", path, separator, what.message()));
  }

  static std::string MembersOf(const OneofDescriptor& oneof) {
    std::vector<std::string> names;
    for (int i = 0; i < oneof.field_count(); ++i) names.push_back(oneof.field(i)->name());
    return absl::StrJoin(names, ", ");
  }

  absl::StatusOr<const FieldDescriptor*> FindField(const YamlNode& name, const std::string& path,
                                                   const Descriptor& descriptor) const {
    if (name.kind != YamlNode::Kind::kScalar) return At(name, path, Expected("a field's name", name));
    const FieldDescriptor* field = descriptor.FindFieldByName(name.text);
    if (field != nullptr) return field;
    std::vector<std::string> known;
    for (int i = 0; i < descriptor.field_count(); ++i) known.push_back(descriptor.field(i)->name());
    return At(name, path,
              absl::InvalidArgumentError(absl::StrCat("unknown field ", QuotedInput(name.text), "; known fields are ",
                                                      absl::StrJoin(known, ", "))));
  }

  absl::Status ReadField(const YamlNode& node, const std::string& path, const FieldDescriptor* field,
                         Message* message) const {
    if (field->is_map()) return ReadMap(node, path, field, message);
    if (field->is_repeated()) return ReadList(node, path, field, message);
    return ReadOne(node, path, field, message);
  }

  absl::Status ReadOne(const YamlNode& node, const std::string& path, const FieldDescriptor* field,
                       Message* message) const {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      const absl::Status status = StoreScalar(node, field, message);
      return status.ok() ? status : At(node, path, status);
    }
    const Reflection* reflection = message->GetReflection();
    Message* part =
        field->is_repeated() ? reflection->AddMessage(message, field) : reflection->MutableMessage(message, field);
    if (!IsDuration(*field)) return ReadMessage(node, path, part);
    absl::StatusOr<google::protobuf::Duration> duration = DurationValue(node);
    if (!duration.ok()) return At(node, path, duration.status());
    // Not a cast: the message's descriptor pool may have its own Duration.
    part->ParseFromString(duration->SerializeAsString());
    return absl::OkStatus();
  }

  absl::Status ReadList(const YamlNode& node, const std::string& path, const FieldDescriptor* field,
                        Message* message) const {
    if (node.kind == YamlNode::Kind::kNothing) return absl::OkStatus();
    if (node.kind != YamlNode::Kind::kList) return At(node, path, Expected("a list", node));
    for (size_t i = 0; i < node.items.size(); ++i) {
      RETURN_IF_ERROR(ReadOne(node.items[i], absl::StrCat(path, "[", i, "]"), field, message));
    }
    return absl::OkStatus();
  }

  absl::Status ReadMap(const YamlNode& node, const std::string& path, const FieldDescriptor* field,
                       Message* message) const {
    if (node.kind == YamlNode::Kind::kNothing) return absl::OkStatus();
    if (node.kind != YamlNode::Kind::kMap) return At(node, path, Expected("keys and values", node));
    std::set<absl::string_view> seen;
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      const YamlNode& key = node.items[i];
      const std::string entry_path = absl::StrCat(path, "[", QuotedInput(key.text), "]");
      if (!seen.insert(key.text).second) return At(key, entry_path, absl::InvalidArgumentError("given twice"));
      Message* entry = message->GetReflection()->AddMessage(message, field);
      RETURN_IF_ERROR(ReadOne(key, path, field->message_type()->map_key(), entry));
      RETURN_IF_ERROR(ReadOne(node.items[i + 1], entry_path, field->message_type()->map_value(), entry));
    }
    return absl::OkStatus();
  }

  const absl::string_view file_name_;
};

}  // namespace

absl::Status ParseConfig(absl::string_view yaml_text, absl::string_view file_name, Message* config) {
  config->Clear();
  ASSIGN_OR_RETURN(const YamlNode root, ParseYaml(yaml_text, file_name));
  return ConfigReader(file_name).ReadMessage(root, "", config);
}

absl::Status LoadConfig(const std::string& path, Message* config) {
  ASSIGN_OR_RETURN(const std::string text, ReadFileContents(path, kConfiguredFileBytesMax));
  return ParseConfig(text, path, config);
}

}  // namespace entrepot::runtime
