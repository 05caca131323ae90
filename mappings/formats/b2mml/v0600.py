"""What B2MML V0600 lets stand in the elements that are read here; ``schema.py`` says how to read the lines.

Taken from the schemas of MESA International, as published with their tag V0600.
"The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
"""

from __future__ import annotations

from mappings.formats.b2mml.schema import Version, version_of

V0600: Version = version_of(
    "V0600",
    "http://www.mesa.org/xml/B2MML-V0600",
    """
TransApplicationArea = Sender?:TransSender Receiver*:TransReceiver CreationDateTime:@time Signature? BODID?
  UserArea?
TransSender = LogicalID? ComponentID? TaskID? ReferenceID? ConfirmationCode? AuthorizationID?
TransReceiver = LogicalID? ComponentID? ID*
TransSync = ActionCriteria*:TransActionCriteria
TransActionCriteria = ActionExpression* ChangeStatus?
TransProcess = ActionCriteria*:TransActionCriteria
TransShow = OriginalApplicationArea?:TransApplicationArea ResponseCriteria*
ProductionSchedule = ID? Description* Location?:Location HierarchyScope?:HierarchyScope PublishedDate?:@time
  StartTime?:@time EndTime?:@time EquipmentElementLevel?:@EquipmentElementLevel ProductionRequest*:ProductionRequest
  ScheduleState?:@RequestState
Location = EquipmentID EquipmentElementLevel:@EquipmentElementLevel Location?:Location
HierarchyScope = EquipmentID EquipmentElementLevel:@EquipmentElementLevel HierarchyScope?:HierarchyScope
ProductionRequest = ID? Description* ProductProductionRuleID|Version* Location?:Location
  HierarchyScope?:HierarchyScope StartTime?:@time EndTime?:@time Priority? SegmentRequirement*:SegmentRequirement
  SegmentResponse*:SegmentResponse RequestState?:@RequestState
SegmentRequirement = ID? ProductSegmentID? ProcessSegmentID? Description* Location?:Location
  HierarchyScope?:HierarchyScope EarliestStartTime?:@time LatestEndTime?:@time Duration? ProductionParameter*
  PersonnelRequirement* EquipmentRequirement* PhysicalAssetRequirement* MaterialRequirement*:MaterialRequirement
  MaterialProducedRequirement*:MaterialProducedRequirement MaterialConsumedRequirement*:MaterialConsumedRequirement
  ConsumableExpectedRequirement*:ConsumableExpectedRequirement SegmentRequirement*:SegmentRequirement
  RequiredByRequestedSegmentResponse? SegmentState?:@RequestState
MaterialRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location HierarchyScope?:HierarchyScope MaterialUse?:@MaterialUse Quantity*:QuantityValue
  AssemblyRequirement*:MaterialRequirement AssemblyType? AssemblyRelationship?
  MaterialRequirementProperty*:MaterialRequirementProperty RequiredByRequestedSegmentResponse?
QuantityValue = QuantityString DataType?:@DataType UnitOfMeasure? Key?
MaterialRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue
Value = ValueString DataType?:@DataType UnitOfMeasure? Key?
MaterialProducedRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location HierarchyScope?:HierarchyScope Quantity*:QuantityValue
  MaterialProducedRequirementProperty*:MaterialProducedRequirementProperty RequiredByRequestedSegmentResponse?
MaterialProducedRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue
MaterialConsumedRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location HierarchyScope?:HierarchyScope Quantity*:QuantityValue
  MaterialConsumedRequirementProperty*:MaterialConsumedRequirementProperty RequiredByRequestedSegmentResponse?
MaterialConsumedRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue
ConsumableExpectedRequirement = MaterialClassID* MaterialDefinitionID* Description* Location?:Location
  HierarchyScope?:HierarchyScope Quantity*:QuantityValue ConsumableExpectedRequirementProperty*
  RequiredByRequestedSegmentResponse?
SegmentResponse = ID? ProcessSegmentID* ProductSegmentID* Description* Location?:Location
  HierarchyScope?:HierarchyScope ActualStartTime?:@time ActualEndTime?:@time ProductionData* PersonnelActual*
  EquipmentActual* PhysicalAssetActual* MaterialActual*:MaterialActual
  MaterialProducedActual*:MaterialProducedActual MaterialConsumedActual*:MaterialConsumedActual
  ConsumableActual*:ConsumableActual SegmentResponse*:SegmentResponse RequiredByRequestedSegmentResponse?
  SegmentState?:@ResponseState
MaterialActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location HierarchyScope?:HierarchyScope MaterialUse?:@MaterialUse Quantity*:QuantityValue
  AssemblyActual*:MaterialActual AssemblyType? AssemblyRelationship? MaterialActualProperty*:MaterialActualProperty
  RequiredByRequestedSegmentResponse?
MaterialActualProperty = ID Description* Value*:Value Quantity*:QuantityValue RequiredByRequestedSegmentResponse?
MaterialProducedActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location HierarchyScope?:HierarchyScope Quantity*:QuantityValue MaterialProducedActualProperty*
  RequiredByRequestedSegmentResponse?
MaterialConsumedActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  Location?:Location HierarchyScope?:HierarchyScope Quantity*:QuantityValue MaterialConsumedActualProperty*
  RequiredByRequestedSegmentResponse?
ConsumableActual = MaterialClassID* MaterialDefinitionID* Description* Location?:Location
  HierarchyScope?:HierarchyScope Quantity*:QuantityValue ConsumableActualProperty*
  RequiredByRequestedSegmentResponse?
OperationsSchedule = ID? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType
  StartTime?:@time EndTime?:@time ScheduleState?:@RequestState PublishedDate?:@time
  OperationsRequest*:OperationsRequest
OperationsRequest = ID? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType StartTime?:@time
  EndTime?:@time Priority? OperationsDefinitionID? RequestState?:@RequestState
  SegmentRequirement*:OpSegmentRequirement SegmentResponse*:OpSegmentResponse
OpSegmentRequirement = ID? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType
  ProcessSegmentID? EarliestStartTime?:@time LatestEndTime?:@time Duration? OperationsDefinitionID?
  SegmentState?:@RequestState SegmentParameter* PersonnelRequirement* EquipmentRequirement*
  PhysicalAssetRequirement* MaterialRequirement*:OpMaterialRequirement SegmentRequirement*:OpSegmentRequirement
  RequiredByRequestedSegmentResponse?
OpMaterialRequirement = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  MaterialUse?:@MaterialUse StorageLocation? Quantity*:QuantityValue AssemblyRequirement*:OpMaterialRequirement
  AssemblyType? AssemblyRelationship? HierarchyScope?:HierarchyScope
  MaterialRequirementProperty*:OpMaterialRequirementProperty RequiredByRequestedSegmentResponse?
OpMaterialRequirementProperty = ID? Description* Value*:Value Quantity*:QuantityValue
  MaterialRequirementProperty*:OpMaterialRequirementProperty
OpSegmentResponse = ID? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType
  ProcessSegmentID* ActualStartTime?:@time ActualEndTime?:@time OperationsDefinitionID* SegmentState?:@ResponseState
  SegmentData* PersonnelActual* EquipmentActual* PhysicalAssetActual* MaterialActual*:OpMaterialActual
  SegmentResponse*:OpSegmentResponse RequiredByRequestedSegmentResponse?
OpMaterialActual = MaterialClassID* MaterialDefinitionID* MaterialLotID* MaterialSubLotID* Description*
  MaterialUse?:@MaterialUse StorageLocation? Quantity*:QuantityValue AssemblyActual*:OpMaterialActual AssemblyType?
  AssemblyRelationship? HierarchyScope?:HierarchyScope MaterialActualProperty*:OpMaterialActualProperty
  RequiredByRequestedSegmentResponse?
OpMaterialActualProperty = ID Description* Value*:Value Quantity*:QuantityValue
  MaterialActualProperty*:OpMaterialActualProperty RequiredByRequestedSegmentResponse?
ProductionPerformance = ID? Description* Location?:Location HierarchyScope?:HierarchyScope PublishedDate?:@time
  ProductionScheduleID? StartTime?:@time EndTime?:@time EquipmentElementLevel?:@EquipmentElementLevel
  ProductionResponse*:ProductionResponse PerformanceState?:@ResponseState
ProductionResponse = ID? ProductionRequestID? ProductProductionRuleID|Version* Location?:Location
  HierarchyScope?:HierarchyScope StartTime?:@time EndTime?:@time SegmentResponse*:SegmentResponse
  ResponseState?:@ResponseState
OperationsPerformance = ID? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType
  OperationsScheduleID? StartTime?:@time EndTime?:@time PerformanceState?:@ResponseState PublishedDate?:@time
  OperationsResponse*:OperationsResponse
OperationsResponse = ID? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType
  OperationsRequestID* StartTime?:@time EndTime?:@time OperationsDefinitionID* ResponseState?:@ResponseState
  SegmentResponse*:OpSegmentResponse
MaterialInformation = ID? Description* Location?:Location HierarchyScope?:HierarchyScope PublishedDate?:@time
  MaterialClass*:MaterialClass MaterialDefinition*:MaterialDefinition MaterialLot*:MaterialLot
  MaterialSubLot*:MaterialSubLot MaterialTestSpecification*
MaterialClass = ID Description* Location?:Location HierarchyScope?:HierarchyScope
  MaterialClassProperty*:MaterialClassProperty MaterialDefinitionID* MaterialTestSpecificationID* AssemblyClassID*
  AssemblyType? AssemblyRelationship?
MaterialClassProperty = ID Description* Value*:Value MaterialClassProperty*:MaterialClassProperty
  MaterialTestSpecificationID*
MaterialDefinition = ID Description* Location?:Location HierarchyScope?:HierarchyScope
  MaterialDefinitionProperty*:MaterialDefinitionProperty MaterialClassID* MaterialLotID*
  MaterialTestSpecificationID* AssemblylDefinitionID* AssemblyType? AssemblyRelationship?
MaterialDefinitionProperty = ID Description* Value*:Value MaterialDefinitionProperty*:MaterialDefinitionProperty
  MaterialTestSpecificationID*
MaterialLot = ID Description* Location?:Location HierarchyScope?:HierarchyScope MaterialDefinitionID? Status?
  MaterialLotProperty*:MaterialLotProperty MaterialSubLot*:MaterialSubLot StorageLocation? Quantity*:QuantityValue
  MaterialTestSpecificationID* AssemblyLotID*:MaterialLot AssemblySubLotID*:MaterialSubLot AssemblyType?
  AssemblyRelationship?
MaterialLotProperty = ID Description* Value*:Value MaterialLotProperty*:MaterialLotProperty
  MaterialTestSpecificationID* TestResult*
MaterialSubLot = ID Description* Location?:Location HierarchyScope?:HierarchyScope Status?
  MaterialSublotProperty*:MaterialLotProperty StorageLocation? Quantity*:QuantityValue
  MaterialSubLot*:MaterialSubLot MaterialLotID? AssemblyLotID*:MaterialLot AssemblySubLotID*:MaterialSubLot
  AssemblyType? AssemblyRelationship?
ProductInformation = ID? Description* Location?:Location HierarchyScope?:HierarchyScope PublishedDate?:@time
  ProductDefinition*:ProductDefinition
ProductDefinition = ID Version? Description* Location?:Location HierarchyScope?:HierarchyScope PublishedDate?:@time
  ProductProductionRule? BillOfMaterialsID? BillOfResourcesID? ManufacturingBill*:ManufacturingBill
  ProductSegment*:ProductSegment
ManufacturingBill = ID Description? MaterialClassID? MaterialDefinitionID? Quantity*:QuantityValue
  AssemblyManufacturingBill*:ManufacturingBill AssemblyType? AssemblyRelationship? BillOfMaterialID?
ProductSegment = ID Description? Duration? ProcessSegmentID* Parameter* PersonnelSpecification*
  EquipmentSpecification* PhysicalAssetSpecification* MaterialSpecification*:MaterialSpecification
  SegmentDependency* ProductSegment*:ProductSegment
MaterialSpecification = MaterialClassID? MaterialDefinitionID? Description* MaterialUse?:@MaterialUse
  Quantity*:QuantityValue AssemblySpecification*:MaterialSpecification AssemblyType? AssemblyRelationship?
  MaterialSpecificationProperty*:MaterialSpecificationProperty
MaterialSpecificationProperty = ID Description* Value*:Value Quantity*:QuantityValue
OperationsDefinitionInformation = ID? Description* HierarchyScope?:HierarchyScope PublishedDate?:@time
  OperationsDefinition*:OperationsDefinition
OperationsDefinition = ID Version? Description* HierarchyScope?:HierarchyScope OperationsType?:@OperationsType
  PublishedDate?:@time BillOfMaterialsID? WorkDefinitionID? BillOfResourcesID?
  OperationsMaterialBill*:OperationsMaterialBill OperationsSegment*:OperationsSegment
OperationsMaterialBill = ID Description? OperationsMaterialBillItem*:OperationsMaterialBillItem
OperationsMaterialBillItem = ID Description? MaterialClassID* MaterialDefinitionID* UseType?
  AssemblyBillOfMaterialItem*:OperationsMaterialBillItem AssemblyType? AssemblyRelationship?
  MaterialSpecificationID* Quantity*:QuantityValue
OperationsSegment = ID Description? OperationsType?:@OperationsType HierarchyScope?:HierarchyScope Duration?
  ProcessSegmentID* Parameter* PersonnelSpecification* EquipmentSpecification* PhysicalAssetSpecification*
  MaterialSpecification*:OpMaterialSpecification SegmentDependency* OperationsSegment*:OperationsSegment
OpMaterialSpecification = ID MaterialClassID* MaterialDefinitionID* Description* MaterialUse?:@MaterialUse
  Quantity*:QuantityValue AssemblySpecification*:OpMaterialSpecification AssemblyType? AssemblyRelationship?
  MaterialSpecificationProperty*:OpMaterialSpecificationProperty
OpMaterialSpecificationProperty = ID Description* Value*:Value Quantity*:QuantityValue
@MaterialUse = Consumed | Produced | Consumable | Replaced Assetn | Replacement Asset | Sample | Resurned Sample |
  Carrier | Returned Carrier | Other
@RequestState = Forecast | Released | Other
@ResponseState = Ready | Running | Completed | Aborted | Holding | Paused | Other
@OperationsType = Production | Maintenance | Quality | Inventory | Mixed | Other
""",
)
