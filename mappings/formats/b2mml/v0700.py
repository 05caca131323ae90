"""What B2MML V0700 lets stand in the elements that are read here; ``schema.py`` says how to read the lines.

Taken from the schemas of MESA International, release 7.0.1 of 2023.
"The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
"""

from __future__ import annotations

from mappings.formats.b2mml.schema import Version, version_of

V0700: Version = version_of(
    "V0700",
    "http://www.mesa.org/xml/B2MML",
    """
TransApplicationArea = Sender?:TransSender Receiver*:TransReceiver CreationDateTime:@time Signature? BODID?
  UserArea?
TransSender = LogicalID? ComponentID? TaskID? ReferenceID? ConfirmationCode? AuthorizationID?
TransReceiver = LogicalID? ComponentID? ID*
TransSync = ActionCriteria*:TransActionCriteria
TransActionCriteria = ActionExpression* ChangeStatus?
TransProcess = ActionCriteria*:TransActionCriteria
TransShow = OriginalApplicationArea?:TransApplicationArea ResponseCriteria*
OperationsSchedule = ID Description* Version? PublishedDate?:@time StartTime?:@time EndTime?:@time
  HierarchyScope?:HierarchyScope OperationsType?:@OperationsType ScheduleState?:@RequestState
  OperationsRequest+:OperationsRequest
HierarchyScope = EquipmentID EquipmentElementLevel|EquipmentLevel:@EquipmentLevel
  HierarchyScopeChild?:HierarchyScope
OperationsRequest = ID Description* Version? StartTime?:@time EndTime?:@time HierarchyScope?:HierarchyScope
  OperationsType?:@OperationsType Priority? RequestState?:@RequestState OperationsDefinitionID? OperationsSegmentID?
  SegmentRequirement+:OpSegmentRequirement RequestedSegmentResponse*:OpSegmentResponse
  RequiredByRequestedSegmentResponse?
OpSegmentRequirement = ID Description* Version? EarliestStartTime?:@time LatestEndTime?:@time
  HierarchyScope?:HierarchyScope OperationsType?:@OperationsType ProcessSegmentID Duration? OperationsDefinitionID
  OperationsSegmentID SegmentState?:@RequestState SegmentParameter* PersonnelRequirement* EquipmentRequirement*
  PhysicalAssetRequirement* MaterialRequirement*:OpMaterialRequirement SegmentRequirementChild*:OpSegmentRequirement
  RequestedSegmentResponse*:OpSegmentResponse RequiredByRequestedSegmentResponse?
OpMaterialRequirement = ID MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  MaterialUse?:@MaterialUse SpatialDefinition? StorageLocation?:ResourceLocation Quantity*:QuantityValue
  AssemblyRequirement*:OpMaterialRequirement AssemblyType? AssemblyRelationship? HierarchyScope?:HierarchyScope
  MaterialRequirementProperty*:OpMaterialRequirementProperty RequiredByRequestedSegmentResponse?
  TestSpecificationID*
ResourceLocation = Location LocationType LocationChild*:ResourceLocation
QuantityValue = QuantityString DataType?:@DataType UnitOfMeasure? Key?
OpMaterialRequirementProperty = ID Description* Value*:Value Quantity*:QuantityValue MaterialClassPropertyID?
  MaterialDefinitionPropertyID? MaterialLotPropertyID?
  MaterialRequirementPropertyChild*:OpMaterialRequirementProperty RequiredByRequestedSegmentResponse?
Value = ValueString DataType?:@DataType UnitOfMeasure? Key?
OpSegmentResponse = ID Description* PublishedDate?:@time PostingDate?:@time ActualStartTime?:@time
  ActualEndTime?:@time HierarchyScope?:HierarchyScope OperationsType?:@OperationsType ProcessSegmentID*
  OperationsRequestID* SegmentRequirementID* OperationsDefinitionID* OperationsSegmentID* WorkResponseID*
  JobResponseID* SegmentState?:@ResponseState SegmentData* PersonnelActual* EquipmentActual* PhysicalAssetActual*
  MaterialActual*:OpMaterialActual SegmentResponseChild*:OpSegmentResponse RequiredByRequestedSegmentResponse?
OpMaterialActual = ID MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  MaterialUse?:@MaterialUse SpatialDefinition? StorageLocation?:ResourceLocation Quantity*:QuantityValue
  AssemblyActual*:OpMaterialActual AssemblyType? AssemblyRelationship? HierarchyScope?:HierarchyScope TestResult*
  MaterialActualProperty*:OpMaterialActualProperty RequiredByRequestedSegmentResponse?
OpMaterialActualProperty = ID Description* Value*:Value Quantity*:QuantityValue
  MaterialActualPropertyChild*:OpMaterialActualProperty MaterialClassPropertyID? MaterialDefinitionPropertyID?
  MaterialLotPropertyID? RequiredByRequestedSegmentResponse?
OperationsPerformance = ID Description* Version? PublishedDate?:@time StartTime?:@time Endtime?:@time
  HierarchyScope?:HierarchyScope OperationsType?:@OperationsType OperationsScheduleID?
  PerformanceState?:@ResponseState OperationsResponse+:OperationsResponse
OperationsResponse = ID Description* Version? StartTime?:@time EndTime?:@time HierarchyScope?:HierarchyScope
  OperationsType?:@OperationsType OperationsRequestID* SegmentRequirementID* OperationsDefinitionID*
  OperationsSegmentID* ResponseState?:@ResponseState SegmentResponse+:OpSegmentResponse
MaterialInformation = ID? Description* HierarchyScope?:HierarchyScope PublishedDate?:@time
  MaterialClass*:MaterialClass MaterialDefinition*:MaterialDefinition MaterialLot*:MaterialLot
  MaterialSubLot*:MaterialSubLot TestSpecification*
MaterialClass = ID Version? Description* PublishedDate?:@time EffectiveStartDate?:@time EffectiveEndDate?:@time
  HierarchyScope?:HierarchyScope MaterialClassBaseID* MaterialClassProperty*:MaterialClassProperty
  MaterialDefinitionSourceID* TestSpecificationID* AssemblyClass*:MaterialClass AssemblyType? AssemblyRelationship?
MaterialClassProperty = ID Description* PropertyType? Value*:Value MaterialClassPropertyChild*:MaterialClassProperty
MaterialDefinition = ID Version? Description* PublishedDate?:@time EffectiveStartDate?:@time EffectiveEndDate?:@time
  HierarchyScope?:HierarchyScope SpatialDefinition? MaterialDefinitionProperty*:MaterialDefinitionProperty
  MaterialClassID* MaterialLotSourceID* TestSpecificationID* AssemblyDefinition*:MaterialDefinition AssemblyType?
  AssemblyRelationship?
MaterialDefinitionProperty = ID Version? Description* PropertyType? Value*:Value
  MaterialDefinitionPropertyChild*:MaterialDefinitionProperty MaterialClassPropertyID?
MaterialLot = ID Version? Description* PublishedDate?:@time EffectiveStartDate?:@time EffectiveEndDate?:@time
  HierarchyScope?:HierarchyScope SpatialDefinition? MaterialDefinitionID? Status? Disposition?
  MaterialLotProperty*:MaterialLotProperty MaterialSubLot*:MaterialSubLot StorageLocation?:ResourceLocation
  Quantity*:QuantityValue TestSpecificationID* AssemblyLot*:MaterialLot AssemblySubLot*:MaterialSubLot AssemblyType?
  AssemblyRelationship?
MaterialLotProperty = ID Description* Value*:Value MaterialLotPropertyChild*:MaterialLotProperty
  MaterialDefinitionPropertyID?
MaterialSubLot = ID Version? Description* PublishedDate?:@time EffectiveStartDate?:@time EffectiveEndDate?:@time
  HierarchyScope?:HierarchyScope SpatialDefinition? Status? Disposition? MaterialLotProperty*:MaterialLotProperty
  StorageLocation?:ResourceLocation Quantity*:QuantityValue TestSpecificationID* MaterialSubLotChild*:MaterialSubLot
  MaterialLotID? AssemblyLot*:MaterialLot AssemblySubLot*:MaterialSubLot AssemblyType? AssemblyRelationship?
OperationsDefinitionInformation = ID Description* HierarchyScope?:HierarchyScope PublishedDate?:@time
  OperationsDefinition*:OperationsDefinition OperationsSegment*:OperationsSegment
  OperationsMaterialBill*:OperationsMaterialBill
OperationsDefinition = ID Description* Version? PublishedDate?:@time EffectiveStartDate?:@time
  EffectiveEndDate?:@time HierarchyScope?:HierarchyScope OperationsType?:@OperationsType DefinitionType?
  OperationsSegment*:OperationsSegment BillOfMaterialsID* WorkMasterSourceID* BillOfResourcesID*
  OperationsMaterialBillID* OperationsDefinitionPatternID?
OperationsSegment = ID Description* Version? PublishedDate?:@time EffectiveStartDate?:@time EffectiveEndDate?:@time
  OperationsType?:@OperationsType DefinitionType? HierarchyScope?:HierarchyScope Duration? ProcessSegmentID*
  BillOfMaterialsID* WorkMasterSourceID* BillOfResourcesID* OperationsMaterialBillID* OperationsSegmentPatternID?
  ParameterSpecification* PersonnelSpecification* EquipmentSpecification* PhysicalAssetSpecification*
  MaterialSpecification*:OpMaterialSpecification SegmentDependency* DependentOperationsSegmentID*
  OperationsSegmentChild*:OperationsSegment
OpMaterialSpecification = ID MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  MaterialUse?:@MaterialUse HierarchyScope?:HierarchyScope StorageLocation?:ResourceLocation SpatialDefinition?
  Quantity*:QuantityValue AssemblySpecification*:OpMaterialSpecification AssemblyType? AssemblyRelationship?
  MaterialSpecificationProperty*:OpMaterialSpecificationProperty TestSpecificationID*
OpMaterialSpecificationProperty = ID Description* Value*:Value Quantity*:QuantityValue MaterialClassPropertyID?
  MaterialDefinitionPropertyID? MaterialLotPropertyID?
  MaterialSpecificationPropertyChild*:OpMaterialSpecificationProperty
OperationsMaterialBill = ID Description* Version? PublishedDate?:@time EffectiveStartDate?:@time
  EffectiveEndDate?:@time HierarchyScope?:HierarchyScope UseType?
  OperationsMaterialBillItem*:OperationsMaterialBillItem BillOfMaterialsID*
OperationsMaterialBillItem = ID Description* Version? PublishedDate?:@time EffectiveStartDate?:@time
  EffectiveEndDate?:@time UseType? HierarchyScope?:HierarchyScope
  AssemblyBillOfMaterialItem*:OperationsMaterialBillItem AssemblyType? AssemblyRelationship?
  MaterialSpecificationID* Quantity*:QuantityValue
OperationsEventInformation = ID Description* HierarchyScope?:HierarchyScope PublishedDate?:@time
  OperationsEventClass* OperationsEventDefinition* OperationsEvent*:OperationsEvent
OperationsEvent = ID Description* Version? HierarchyScope?:HierarchyScope EffectiveTimeStamp?:@time
  RecordTimeStamp?:@time Priority? OperationsEventType? OperationsEventLevel? OperationsType?:@OperationsType
  MOMFunction? EnterpriseFunction? Category* Acknowledgement* Source* OperationsDefinitionID?
  OperationsEventChild*:OperationsEvent OperationsEventRecord*:OperationsRecordTemplate
OperationsRecordTemplate = ID Description* Version? RecordTimestamp?:@time EffectiveTimestamp?:@time
  EffectiveEndDate?:@time HierarchyScope?:HierarchyScope Action?
  OperationsRecordEntry+:OperationsRecordEntryTemplate OperationsRecordSpecificationID
  OperationsRecordChild*:OperationsRecordTemplate
OperationsRecordEntryTemplate = ID Description* Version? RecordTimestamp?:@time EffectiveTimestamp?:@time
  EffectiveEndDate?:@time HierarchyScope?:HierarchyScope InformationObject|ExternalReferenceID
  InformationObjectType? OperationsRecordEntryChild*:OperationsRecordEntryTemplate
@MaterialUse = Consumable | Consumed | Produced | By-product Produced | Co-product Produced | Yield Produced |
  Material Consumed | Material Produced | Destructive Sample | Returned Sample | Retained Sample | Inventoried |
  Other
@RequestState = Forecast | Released | Waiting | Cancelled | Ready | Running | Completed | Aborted | Held | Suspended
  | Closed | Other
@ResponseState = Waiting | Ready | Running | Completed | Aborted | Held | Paused | Suspended | Closed | Other
@OperationsType = Production | Maintenance | Quality | Inventory | Mixed | Other
""",
)
